import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from sklearn.linear_model import LinearRegression

from mltrace_otel.artifacts.files import find_files
from mltrace_otel.artifacts.formats import (
    Format,
    choose_formats,
    name_kind,
    read_suffix,
    read_value,
)
from mltrace_otel.artifacts.shelf import write
from mltrace_otel.artifacts.sidecars import Origin
from mltrace_otel.digest import digest
from mltrace_otel.errors import ArtifactError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - naive, too
CELLS = (
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1),
    st.floats(),
    st.booleans(),
    TEXTS,
    st.binary(max_size=5),
    TIMES,
    TIMES.map(lambda time: pd.Timestamp(time, tz="Europe/Berlin")),
    st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000)),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9),
    st.none(),
    st.one_of(st.none(), TEXTS),
    st.one_of(st.none(), st.integers(-5, 5), TEXTS),
    st.lists(st.integers(-5, 5), max_size=3),
    st.dictionaries(TEXTS, st.integers(-5, 5), max_size=2),
)
NAMES = st.one_of(TEXTS, st.integers(0, 3), st.none(), st.tuples(TEXTS, TEXTS))
DTYPES = ("category", "string", "Int8", "Float32", "boolean", "int64[pyarrow]", "float16")


def write_and_read(value: object, folder: Path) -> tuple[Any, str]:
    """Return what comes back from a file, and the file's suffix."""
    places = [(str(folder / f"value{format_}"), format_) for format_ in choose_formats(value)]
    sidecar = write(value, digest(value), Origin(), places)
    with find_files(sidecar.name).fetch(sidecar.name) as file:
        return read_value(file, sidecar.kind, loads_joblib=True), file.suffix


def assert_comes_back(value: object, folder: Path) -> None:
    back, _ = write_and_read(value, folder)
    before, after = digest(value), digest(back)
    assert type(back) is type(value)
    assert before is not None
    assert after is not None
    assert after.text == before.text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("values")


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 4))
    cells = [draw(st.sampled_from(CELLS)) for _ in range(draw(st.integers(0, 4)))]
    columns = [draw(st.lists(each, min_size=rows, max_size=rows)) for each in cells]
    frame = pd.concat([pd.Series(each) for each in columns], axis=1) if columns else pd.DataFrame()
    frame.columns = pd.Index([draw(NAMES) for _ in columns], tupleize_cols=False)
    if draw(st.booleans()) and len(frame):
        labels = draw(st.lists(draw(st.sampled_from(CELLS[:8])), min_size=rows, max_size=rows))
        frame.index = pd.Index(labels, name=draw(NAMES), tupleize_cols=False)
    return frame


@settings(max_examples=100)
@given(frame=frames())
def test_any_pandas_frame_comes_back_with_its_digest(frame: pd.DataFrame, folder: Path) -> None:
    assert_comes_back(frame, folder)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pandas_extension_dtypes_come_back(dtype: str, folder: Path) -> None:
    cells = ["a", None, "b"] if dtype in {"category", "string"} else [1, 0, 1]
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=dtype)})

    back, _ = write_and_read(frame, folder)

    pd.testing.assert_frame_equal(back, frame)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 11, 2, name="range"),
        pd.MultiIndex.from_product([["a", "b"], [1.5, np.nan]], names=["x", None])[:3],
        pd.date_range("2020-01-01", periods=3, freq="D", tz="UTC"),
        pd.CategoricalIndex(["x", "y", "x"]),
        pd.period_range("2020-01", periods=3, freq="M"),
        pd.interval_range(0, 3),
    ],
    ids=lambda index: type(index).__name__,
)
def test_pandas_indexes_come_back(index: pd.Index, folder: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=index)

    back, _ = write_and_read(frame, folder)

    pd.testing.assert_frame_equal(back, frame, check_freq=False)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1, "one", None, [2]]}),
        pd.DataFrame({1: [1.0], 2: [2.0]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("a", "b"): [1]}),
        pd.DataFrame({"a": [decimal.Decimal("1.5"), 2.5]}),
    ],
    ids=["mixed cells", "integer names", "duplicate names", "two levels", "mixed numbers"],
)
def test_a_frame_that_parquet_would_change_still_comes_back(
    frame: pd.DataFrame, folder: Path
) -> None:
    back, _ = write_and_read(frame, folder)

    pd.testing.assert_frame_equal(back, frame)


def test_ordinary_frames_and_arrays_become_files_that_other_tools_read(folder: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]})

    suffixes = [
        write_and_read(value, folder)[1]
        for value in (
            frame,
            pl.DataFrame({"a": [1, None], "b": ["x", "y"]}),
            pa.table({"a": [1, None]}),
            np.arange(6).reshape(2, 3),
            np.array([{}], dtype=object),
            {"a": 1},
        )
    ]

    assert suffixes == [".parquet", ".parquet", ".parquet", ".npy", ".joblib", ".joblib"]


@settings(max_examples=100)
@given(
    array=npst.arrays(
        st.one_of(
            npst.scalar_dtypes(),
            npst.array_dtypes(npst.scalar_dtypes(), max_size=3, allow_subarrays=False),
        ),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
    transposed=st.booleans(),
)
def test_any_array_comes_back_with_its_digest(
    array: np.ndarray, folder: Path, *, transposed: bool
) -> None:
    assert_comes_back(array.T if transposed else array, folder)


@pytest.mark.parametrize(
    "array",
    [
        np.ma.masked_array([1, 2], mask=[True, False]),
        np.array([None, "a", [1]], dtype=object),
        np.float64(1.5),
        np.arange(20)[::3],
    ],
    ids=["masked", "objects", "scalar", "strided"],
)
def test_unusual_arrays_come_back(array: object, folder: Path) -> None:
    assert_comes_back(array, folder)


def test_a_mapped_array_is_kept_as_an_array(folder: Path, tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "mapped", dtype="f4", mode="w+", shape=(10,))
    mapped[:] = 1.5

    back, suffix = write_and_read(mapped, folder)

    assert suffix == ".npy"
    assert digest(back) == digest(mapped)


POLARS_NAMES = TEXTS.filter(lambda name: "\0" not in name)  # polars itself breaks on them
POLARS_CELLS = (
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    TEXTS,
    st.binary(max_size=5),
    st.dates(),
    TIMES,
    st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000)),
    st.lists(st.integers(-5, 5), max_size=3),
)


@settings(max_examples=100)
@given(data=st.data())
def test_any_polars_frame_comes_back_with_its_digest(data: st.DataObject, folder: Path) -> None:
    rows = data.draw(st.integers(0, 4))
    columns = {
        name: data.draw(st.lists(st.none() | cells, min_size=rows, max_size=rows))
        for name, cells in data.draw(
            st.dictionaries(POLARS_NAMES, st.sampled_from(POLARS_CELLS), max_size=3)
        ).items()
    }

    assert_comes_back(pl.DataFrame(columns), folder)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
        pl.Series([{"x": 1, "y": "a"}]),
        pl.Series([decimal.Decimal("1.50")]),
        pl.Series([[1.0, 2.0]], dtype=pl.Array(pl.Float32, 2)),
        pl.Series([None, None]),
        pl.Series([dt.time(1, 2, 3)]),
        pl.Series([object()], dtype=pl.Object),
    ],
    ids=["categories", "enum", "struct", "decimal", "array", "null", "time", "objects"],
)
def test_polars_dtypes_come_back_or_are_refused_whole(column: pl.Series, tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": column})
    try:
        back, _ = write_and_read(frame, tmp_path)
    except ArtifactError:
        assert list(tmp_path.iterdir()) == []
        assert column.dtype == pl.Object
    else:
        assert back.schema == frame.schema
        assert frame.equals(back)


OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(TEXTS, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=100)
@given(value=OBJECTS)
def test_any_plain_object_comes_back_with_its_digest(value: object, folder: Path) -> None:
    assert_comes_back(value, folder)


def test_a_model_comes_back_with_its_digest(folder: Path) -> None:
    assert_comes_back(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), folder)


class Meters(pd.DataFrame):
    """A frame with a unit, as geopandas' have a projection."""


def test_a_subclass_of_a_frame_stays_one(folder: Path) -> None:
    assert name_kind(Meters()) != "pandas.DataFrame"
    assert_comes_back(Meters({"a": [1]}), folder)


@pytest.mark.parametrize("value", [lambda: 0, (each for each in "ab")], ids=["lambda", "generator"])
def test_what_cannot_be_pickled_is_refused_and_leaves_no_file(
    value: object, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactError, match=r"A \.joblib file cannot hold this builtins"):
        write_and_read(value, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a/b.parquet", Format.PARQUET),
        ("s3://a/b.NPY", Format.NPY),
        ("model.joblib", Format.JOBLIB),
        ("model.pkl", Format.JOBLIB),
        ("model", Format.JOBLIB),
        ("a.npy/b", Format.JOBLIB),
    ],
)
def test_a_suffix_says_the_format(name: str, format_: Format) -> None:
    assert read_suffix(name) is format_


def test_a_suffix_that_promises_a_lossy_format_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"write the \.csv file yourself"):
        read_suffix("clean.csv")


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text.joblib"
    file.write_text("hello")

    with pytest.raises(ArtifactError, match=r"no \.joblib file that this program can read"):
        read_value(file, None, loads_joblib=True)


def test_code_is_not_run_where_joblib_is_forbidden(tmp_path: Path) -> None:
    value = {"a": 1}
    write(value, digest(value), Origin(), [(str(tmp_path / "a.parquet"), Format.JOBLIB)])

    with pytest.raises(ArtifactError, match="MLTRACE_LOAD_JOBLIB=false forbids"):
        read_value(tmp_path / "a.parquet", "pandas.DataFrame", loads_joblib=False)
