from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from receiving import run_program
from sklearn.linear_model import LogisticRegression

from mltrace_otel.digest import digest, digest_file

ARRAYS = hnp.arrays(
    st.one_of(
        hnp.integer_dtypes(),
        hnp.floating_dtypes(),
        hnp.boolean_dtypes(),
        hnp.datetime64_dtypes(),
        hnp.unicode_string_dtypes(max_len=4),
        hnp.complex_number_dtypes(),
    ),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
)
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=3)
)


def text_of(value: object) -> str:
    found = digest(value)
    assert found is not None
    return found.text


@given(ARRAYS)
def test_layout_in_memory_is_no_content(array: np.ndarray) -> None:
    expected = text_of(array)

    assert text_of(array.copy()) == expected
    if array.ndim:
        assert text_of(np.asfortranarray(array)) == expected
        spread = np.repeat(array, 2, axis=0)[::2]
        backwards = array[::-1].copy()[::-1]
        assert text_of(spread) == text_of(backwards) == expected


def test_an_array_of_many_chunks_has_the_digest_of_its_copy() -> None:
    array = np.arange(600_000, dtype="f4").reshape(3, -1)

    assert text_of(array.T) == text_of(np.ascontiguousarray(array.T))
    assert text_of(array.T) != text_of(array)
    changed = array.copy()
    changed[-1, -1] += 1
    assert text_of(changed) != text_of(array)


@given(ARRAYS, ARRAYS)
def test_arrays_of_other_content_type_or_shape_differ(one: np.ndarray, other: np.ndarray) -> None:
    same = (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )

    assert (text_of(one) == text_of(other)) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(2, "f4"), np.zeros(2, "i4")),
        (np.zeros(2, "f4"), np.zeros(1, "f8")),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.array(["a", None], dtype=object), np.array(["a", "None"], dtype=object)),
        (np.ma.masked_array([1, 2], [False, True]), np.ma.masked_array([1, 2], [False, False])),
        (np.array([1]), pd.Series([1])),
        (pd.Series([1], name="a"), pd.Series([1], name="b")),
        (pd.Series([1, 2]), pd.Series([1, 2], index=[1, 0])),
        (pd.Series(["a", None]), pd.Series(["a", "None"])),
        (pd.Series(["a", np.nan], dtype=object), pd.Series(["a", "nan"], dtype=object)),
        (pd.Series(["a", pd.NA], dtype=object), pd.Series(["a", "<NA>"], dtype=object)),
        (pd.Series(["ab", "c"]), pd.Series(["a", "bc"])),
        (pd.Series([1, None], dtype="Int64"), pd.Series([1, 0], dtype="Int64")),
        (pd.Series([True, None], dtype="boolean"), pd.Series([True, False], dtype="boolean")),
        (pd.Series(["a", "b"], dtype="category"), pd.Series(["a", "b"])),
        (
            pd.Series(pd.Categorical(["a"], ["a", "b"])),
            pd.Series(pd.Categorical(["a"], ["b", "a"])),
        ),
        (
            pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("UTC")),
            pd.Series(pd.to_datetime(["2020-01-01"]).tz_localize("Asia/Tokyo")),
        ),
        (pd.Series([date(2020, 1, 1)]), pd.Series([date(2020, 1, 2)])),
        ({"a": 1}, {"a": 2}),
        ([1, 2], [2, 1]),
    ],
    ids=str,
)
def test_what_differs_has_another_digest(one: object, other: object) -> None:
    assert text_of(one) != text_of(other)


FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2020", "2021"])})


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"a": "z"}),
        lambda f: f[["b", "a", "c"]],
        lambda f: f.iloc[::-1],
        lambda f: f.set_index("a"),
        lambda f: f.rename_axis("index"),
        lambda f: f.rename_axis("columns", axis="columns"),
        lambda f: f.astype({"a": "int32"}),
        lambda f: f.astype({"b": "category"}),
        lambda f: f.assign(a=[1, 3]),
        lambda f: f.assign(b=["x", "y"]),
        lambda f: f.iloc[:1],
        lambda f: f.assign(d=0),
        lambda f: f.set_axis(["x", "y"], axis="index"),
    ],
)
def test_a_changed_frame_has_another_digest(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert text_of(change(FRAME.copy())) != text_of(FRAME)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_a_frame_has_the_digest_of_its_copies(rows: list[tuple[Any, Any]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    sliced = pd.concat([frame, frame]).iloc[: len(frame)]

    assert text_of(frame.copy()) == text_of(frame)
    assert text_of(pd.DataFrame({"a": frame["a"], "b": frame["b"]})) == text_of(frame)
    if len(frame):
        assert text_of(sliced.astype(frame.dtypes.to_dict())) == text_of(frame)


@given(st.lists(CELLS, max_size=4), st.lists(CELLS, max_size=4))
def test_columns_of_other_cells_differ(one: list[Any], other: list[Any]) -> None:
    columns = pd.Series(one, dtype=object), pd.Series(other, dtype=object)
    same = [(type(cell), repr(cell)) for cell in one] == [
        (type(cell), repr(cell)) for cell in other
    ]

    assert (text_of(columns[0]) == text_of(columns[1])) == same


def test_a_frame_survives_a_file(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "frame.parquet")

    assert text_of(pd.read_parquet(tmp_path / "frame.parquet")) == text_of(FRAME)


def test_a_model_has_the_digest_of_one_trained_alike() -> None:
    def train(penalty: float) -> LogisticRegression:
        return LogisticRegression(C=penalty).fit([[0.0], [1.0], [2.0]], [0, 0, 1])

    assert text_of(train(1.0)) == text_of(train(1.0))
    assert text_of(train(1.0)) != text_of(train(2.0))


@given(st.binary(max_size=50))
def test_a_file_has_the_digest_of_its_bytes(tmp_path_factory: Any, content: bytes) -> None:
    file = tmp_path_factory.mktemp("files") / "file"
    file.write_bytes(content)

    found = digest_file(file)
    assert found == digest(content)
    assert found == digest(bytearray(content)) == digest(memoryview(content))
    assert found is not None
    assert found.size_bytes == len(content)


def test_sizes_are_those_of_the_content() -> None:
    array = np.zeros((10, 10))

    assert (found := digest(array)) is not None
    assert found.size_bytes == 800
    assert (found := digest([array])) is not None
    assert found.size_bytes >= 800


def test_what_cannot_be_read_has_no_digest(tmp_path: Path) -> None:
    assert digest(lambda: None) is None
    assert digest_file(tmp_path / "missing") is None


def test_an_empty_array_and_frame_have_digests() -> None:
    assert text_of(np.zeros((0, 3))) != text_of(np.zeros((3, 0)))
    assert text_of(pd.DataFrame()) != text_of(pd.DataFrame({"a": []}))


def test_columns_of_one_name_and_levels_are_content() -> None:
    twins = pd.DataFrame([[1, 2]], columns=["a", "a"])
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))

    assert len({text_of(twins), text_of(twins[["a"]].iloc[:, ::-1]), text_of(levels)}) == 3


def test_neither_numpy_nor_pandas_is_imported_for_a_program_without_them(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import sys
        import mltrace_otel
        from mltrace_otel.digest import digest

        @mltrace_otel.Component("c").run(input_vars=["path"], output_vars=["size"])
        def work(path):
            size = len(path)
            return size

        work("in.csv")
        digest(b"bytes")
        print(sorted({"numpy", "pandas", "joblib", "grpc"} & sys.modules.keys()))
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )

    assert ended.stdout == "[]\n"
