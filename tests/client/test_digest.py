import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from hypothesis.extra import pandas as frames

from mltrace_otel.digest import digest, digest_file

ARRAYS = arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_side=0, max_side=5))
FRAMES = frames.data_frames(
    [
        frames.column("count", dtype=np.int64),
        frames.column("share", dtype=np.float64),
        frames.column("name", elements=st.text(max_size=5), dtype=object),
    ]
)
EXTENSIONS = pd.DataFrame(
    {
        "day": pd.date_range("2020", periods=3, tz="Europe/Berlin"),
        "count": pd.array([1, None, 3], dtype="Int64"),
        "name": ["a", None, "ü"],
        "kind": pd.Categorical(["x", "y", "y"]),
        "period": pd.period_range("2020", periods=3, freq="D"),
        "mixed": [{"a": 1}, [1], None],
        "flag": pd.array([True, None, False], dtype="boolean"),
        "step": pd.to_timedelta([1, 2, 3]),
        "range": pd.interval_range(0, 3),
    }
)


def text_of(value: object) -> str:
    found = digest(value)
    assert found is not None
    return found.text


@given(ARRAYS)
@settings(deadline=None)
def test_an_array_has_one_digest_in_every_layout(array: "np.ndarray[tuple[int, ...]]") -> None:
    spread = np.zeros(tuple(2 * side for side in array.shape), array.dtype)
    every_other = spread[tuple(slice(None, None, 2) for _ in array.shape)]
    every_other[...] = array

    expected = text_of(array)
    assert text_of(array.copy()) == expected
    assert text_of(np.asfortranarray(array)) == expected
    assert text_of(every_other) == expected


@given(st.data())
@settings(deadline=None)
def test_arrays_have_one_digest_if_and_only_if_their_bytes_are_equal(data: st.DataObject) -> None:
    shape = arrays.array_shapes(min_dims=2, max_dims=2, max_side=4)
    two = arrays.arrays(np.int8, data.draw(shape), elements=st.integers(0, 1))
    first, second = data.draw(two), data.draw(two)

    assert (text_of(first) == text_of(second)) == bool((first == second).all())
    assert (text_of(first) == text_of(first.T)) == bool(
        first.shape == first.T.shape and (first == first.T).all()
    )
    assert text_of(first) != text_of(first.astype(np.int16))


@given(FRAMES, FRAMES)
@settings(deadline=None)
def test_frames_have_one_digest_if_and_only_if_they_are_equal(
    first: pd.DataFrame, second: pd.DataFrame
) -> None:
    assert text_of(first) == text_of(first.copy(deep=True))
    assert (text_of(first) == text_of(second)) == first.equals(second)
    assert text_of(first) != text_of(first[["share", "count", "name"]])
    assert text_of(first) != text_of(first.rename(columns={"count": "counts"}))


@pytest.mark.parametrize("column", EXTENSIONS.columns)
def test_columns_of_every_kind_count(column: str) -> None:
    changed = EXTENSIONS.copy(deep=True)
    changed[column] = EXTENSIONS[column].iloc[::-1].array

    assert text_of(changed) != text_of(EXTENSIONS)
    assert text_of(EXTENSIONS.copy(deep=True)) == text_of(EXTENSIONS)


def test_a_change_far_from_both_ends_is_seen() -> None:
    array = np.zeros(1_000_000)
    frame = pd.DataFrame({"name": [f"id{number}" for number in range(10_000)]})
    array_before, frame_before = text_of(array), text_of(frame)

    array[500_000] = 1
    frame.loc[5_000, "name"] = "other"

    assert text_of(array) != array_before
    assert text_of(frame) != frame_before


def test_indexes_and_masks_are_content() -> None:
    frame = EXTENSIONS
    masked = np.ma.masked_array([1, 2], mask=[False, True])

    assert text_of(frame.set_index("name")) != text_of(frame)
    assert text_of(frame.set_index(["day", "count"])) == text_of(
        frame.copy().set_index(["day", "count"])
    )
    assert text_of(masked) != text_of(np.ma.masked_array([1, 2], mask=[False, False]))


@given(st.binary(max_size=200))
def test_a_file_has_the_digest_of_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file: Path = tmp_path_factory.getbasetemp() / "content"
    file.write_bytes(content)

    found = digest_file(file)

    assert found == digest(content) == digest(bytearray(content))
    assert found is not None
    assert found.size_bytes == len(content)
    assert found.text.startswith("xxh3-128:")


def test_equal_objects_have_one_digest_and_size_counts_their_arrays() -> None:
    first = {"weights": np.zeros(1000), "classes": ["a", "b"]}
    second = {"classes": ["a", "b"], "weights": np.zeros(1000)}

    assert text_of(first) == text_of(second)
    found = digest(first)
    assert found is not None
    assert found.size_bytes > 8000


def test_what_cannot_be_read_has_no_digest() -> None:
    for value in (threading.Lock(), lambda: 1, (n for n in [1]), sys.stdout):
        assert digest(value) is None
    assert digest_file(Path("/nowhere/at/all")) is None


def test_nothing_is_imported_for_a_digest_of_bytes() -> None:
    program = (
        "import sys, mltrace_otel.digest as d; d.digest(b'x'); d.digest('x'); "
        "assert not {'numpy', 'pandas', 'joblib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - constant
