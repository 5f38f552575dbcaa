import datetime as dt
import decimal
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from contents import show_cells, show_column, show_frame, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

MIXED = [None, math.nan, pd.NA, pd.NaT, 1, 1.0, True, "1", "a", b"a", (1,), dt.date(2020, 1, 1)]
TIMES = [*pd.to_datetime(["2020-01-01", "2021-06-01"]), pd.NaT]
# What columns of each dtype are drawn from: few values, so that equal columns are often drawn.
CELLS: dict[str, list[Any]] = {
    "int64": [0, 1],
    "int8": [0, 1],
    "float64": [0.0, -0.0, 1.0, math.nan],
    "float32": [0.0, 1.0, math.nan],
    "bool": [True, False],
    "complex128": [0j, 1j],
    "object": MIXED,
    "str": ["", "a", "é", math.nan],
    "string": ["", "a", "é", pd.NA],
    "Int64": [0, 1, pd.NA],
    "UInt8": [0, 1, pd.NA],
    "Float64": [0.0, 1.0, pd.NA],
    "boolean": [True, False, pd.NA],
    "category": ["a", "b", math.nan],
    "datetime64[ns]": TIMES,
    "datetime64[s]": TIMES,
    "datetime64[us, UTC]": [each.tz_localize("UTC") for each in TIMES],
    "timedelta64[ns]": [pd.Timedelta(1), pd.Timedelta(0), pd.NaT],
    "period[D]": [pd.Period("2020-01-01"), pd.NaT],
    "interval[int64, right]": [pd.Interval(0, 1), pd.Interval(1, 2)],
    "Sparse[int64, 0]": [0, 1],
    "Sparse[float64, nan]": [0.0, math.nan],
    "int64[pyarrow]": [0, 1, pd.NA],
    "double[pyarrow]": [0.0, 1.0, pd.NA],
    "string[pyarrow]": ["", "a", pd.NA],
    "bool[pyarrow]": [True, False, pd.NA],
}
LABELS = st.sampled_from(["a", "b", "", 0, 1, 1.5, None, ("a", 1), dt.date(2020, 1, 1)])
DTYPES = st.sampled_from(sorted(CELLS))


@st.composite
def columns(draw: st.DrawFn, rows: int) -> "pd.Series[Any]":
    dtype = draw(DTYPES)
    cells = draw(st.lists(st.sampled_from(CELLS[dtype]), min_size=rows, max_size=rows))
    return pd.Series(cells, dtype=dtype)


@st.composite
def frames(draw: st.DrawFn, rows: int) -> pd.DataFrame:
    drawn = draw(st.lists(columns(rows), max_size=3))
    frame = (
        pd.concat(drawn, axis="columns", sort=False) if drawn else pd.DataFrame(index=range(rows))
    )
    frame.columns = pd.Index(
        draw(st.lists(LABELS, min_size=len(drawn), max_size=len(drawn))),
        dtype=object,
        tupleize_cols=False,
    )
    levels = draw(st.lists(columns(rows), max_size=2))
    if levels:
        frame.index = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else pd.Index(levels[0])
    frame.index.names = draw(st.lists(LABELS, min_size=len(levels) or 1, max_size=len(levels) or 1))
    return frame


ROWS = st.integers(0, 3)
TWO_COLUMNS = ROWS.flatmap(lambda rows: st.tuples(columns(rows), columns(rows)))
TWO_FRAMES = ROWS.flatmap(lambda rows: st.tuples(frames(rows), frames(rows)))


@settings(max_examples=150, deadline=None)
@given(TWO_COLUMNS)
def test_columns_have_equal_digests_if_and_only_if_they_are_equal(
    two: tuple["pd.Series[Any]", "pd.Series[Any]"],
) -> None:
    one, other = two

    assert (text_of(one) == text_of(other)) == (show_column(one) == show_column(other))
    assert (text_of(pd.Index(one)) == text_of(pd.Index(other))) == (
        show_column(pd.Index(one)) == show_column(pd.Index(other))
    )


@settings(max_examples=80, deadline=None)
@given(TWO_FRAMES)
def test_frames_have_equal_digests_if_and_only_if_they_are_equal(
    two: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    one, other = two

    assert (text_of(one) == text_of(other)) == (show_frame(one) == show_frame(other))


@settings(max_examples=50, deadline=None)
@given(ROWS.flatmap(frames), st.data())
def test_one_changed_cell_is_seen(frame: pd.DataFrame, data: st.DataObject) -> None:
    if not frame.size:
        return
    place = data.draw(st.integers(0, frame.shape[1] - 1))
    row = data.draw(st.integers(0, len(frame) - 1))
    column = frame.iloc[:, place]
    cells = list(column)
    cells[row] = data.draw(st.sampled_from(CELLS.get(str(column.dtype), cells)))
    changed = frame.copy()
    changed.isetitem(place, pd.Series(cells, dtype=column.dtype).array)

    assert (text_of(changed) == text_of(frame)) == (show_frame(changed) == show_frame(frame))


@settings(max_examples=50, deadline=None)
@given(ROWS.flatmap(frames))
def test_how_a_frame_was_made_is_no_content(frame: pd.DataFrame) -> None:
    backwards = list(range(len(frame)))[::-1]
    made = [
        frame.copy(),
        frame.take(backwards).take(backwards),
        pd.concat([frame, frame], axis="columns", sort=False).iloc[:, : frame.shape[1]],
        pd.concat([frame, frame]).iloc[: len(frame)],
        pd.concat([frame[:1], frame[1:]]),
    ]

    expected, shown = text_of(frame), show_frame(frame)
    assert [text_of(each) == expected for each in made] == [
        show_frame(each) == shown
        for each in made  # to concatenate loses some names and dtypes
    ]
    assert text_of(made[0]) == text_of(made[1]) == expected


FRAME = pd.DataFrame(
    {"a": [1, 2], "b": ["x", None], "c": pd.to_datetime(["2020", "2021"]), "d": [0.5, math.nan]}
)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.rename(columns={"a": "z"}),
        lambda f: f.rename(columns={"a": 0}),
        lambda f: f[["b", "a", "c", "d"]],
        lambda f: f.set_axis(["b", "a", "c", "d"], axis="columns"),
        lambda f: f.iloc[::-1],
        lambda f: f.set_index("a"),
        lambda f: f.rename_axis("index"),
        lambda f: f.rename_axis("columns", axis="columns"),
        lambda f: f.astype({"a": "int32"}),
        lambda f: f.astype({"a": "Int64"}),
        lambda f: f.astype({"a": "int64[pyarrow]"}),
        lambda f: f.astype({"a": object}),
        lambda f: f.astype({"b": "category"}),
        lambda f: f.astype({"b": "string"}),
        lambda f: f.astype({"b": object}),
        lambda f: f.astype({"c": "datetime64[ms]"}),
        lambda f: f.assign(c=f.c.dt.tz_localize("UTC")),
        lambda f: f.assign(c=f.c.dt.tz_localize("Asia/Tokyo")),
        lambda f: f.assign(c=f.c.dt.to_period("D")),
        lambda f: f.assign(a=[1, 3]),
        lambda f: f.assign(a=[2, 1]),
        lambda f: f.assign(b=["x", "y"]),
        lambda f: f.assign(b=["x", ""]),
        lambda f: f.assign(b=pd.Series(["x", None], dtype=object)),
        lambda f: f.assign(b=pd.Series(["x", pd.NA], dtype=object)),
        lambda f: f.assign(b=pd.Series(["x", math.nan], dtype=object)),
        lambda f: f.assign(c=[f.c[0], pd.NaT]),
        lambda f: f.assign(d=[0.5, 0.0]),
        lambda f: f.assign(d=[math.nan, 0.5]),
        lambda f: f.astype({"d": "Float64"}),
        lambda f: f.iloc[:1],
        lambda f: f.iloc[:0],
        lambda f: f.assign(e=0),
        lambda f: f.drop(columns="d"),
        lambda f: f.set_axis(["x", "y"], axis="index"),
        lambda f: f.set_axis([0, 2], axis="index"),
        lambda f: f.set_axis([0.0, 1.0], axis="index"),
        lambda f: f.set_axis(pd.MultiIndex.from_tuples([(0, 0), (0, 1)]), axis="index"),
        lambda f: f["a"],
        lambda f: f["a"].rename("b"),
        lambda f: f.set_axis([("a", 1), ("a", 2), ("a", 3), ("a", 4)], axis="columns"),
    ],
)
def test_a_changed_frame_has_another_digest(change: Callable[[pd.DataFrame], Any]) -> None:
    changed = change(FRAME.copy())

    assert text_of(changed) != text_of(FRAME)
    assert text_of(change(FRAME.copy())) == text_of(changed)


def test_a_frame_survives_a_file(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "frame.parquet")

    assert text_of(pd.read_parquet(tmp_path / "frame.parquet")) == text_of(FRAME)


@pytest.mark.parametrize("name", ["str", "string"])
def test_where_texts_are_kept_is_no_content(name: str) -> None:
    texts = ["a", "", "é", None, "\N{GRINNING FACE}" * 9] * 30_000
    missing = math.nan if name == "str" else pd.NA
    kept = [
        pd.Series(texts, dtype=pd.StringDtype(storage, na_value=missing))
        for storage in ("python", "pyarrow")
    ]
    chunked = pd.concat([kept[1][:7], kept[1][7:90_000], kept[1][90_000:]])

    assert text_of(kept[0]) == text_of(kept[1]) == text_of(chunked)
    assert text_of(kept[0][3:]) == text_of(kept[1][3:])
    for each in kept:
        changed = each.copy()
        changed.iloc[149_999] = "b"
        assert text_of(changed) != text_of(each)


def test_an_index_is_its_labels_however_it_is_told() -> None:
    told = FRAME.set_axis(pd.Index([0, 1]), axis="index")
    days = pd.date_range("2020", periods=3)
    steps = pd.Series(range(100_000), index=pd.RangeIndex(7, 7 + 300_000, 3))
    sliced = pd.MultiIndex.from_product([["a", "b"], [1, 2]])[:2]

    assert text_of(told) == text_of(FRAME)
    assert text_of(pd.Series(0, days)) == text_of(pd.Series(0, pd.DatetimeIndex(list(days))))
    assert text_of(steps) == text_of(steps.set_axis(list(steps.index), axis="index"))
    assert text_of(sliced) == text_of(pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))


def test_categories_and_their_order_are_content_though_nobody_is_in_them() -> None:
    def make(categories: list[str], *, is_ordered: bool = False) -> "pd.Series[Any]":
        return pd.Series(pd.Categorical(["a"], categories, ordered=is_ordered))

    others = [make(["a"]), make(["a", "b"]), make(["b", "a"]), make(["a", "b"], is_ordered=True)]
    assert len(set(map(text_of, others))) == 4


def test_what_a_sparse_column_stores_of_its_fill_value_is_no_content() -> None:
    plain = pd.arrays.SparseArray([0, 1, 0])
    stored = pd.arrays.SparseArray([0, 1, 9], fill_value=9)
    stored.fill_value = 0

    assert stored.npoints == 2
    assert list(plain) == list(stored)
    assert text_of(pd.Series(plain)) == text_of(pd.Series(stored))
    assert text_of(pd.Series(plain)) != text_of(pd.Series([0, 1, 0]))


def test_behind_missing_values_lies_no_content() -> None:
    mask = np.array([False, True])
    ones = pd.arrays.IntegerArray(np.array([1, 2]), mask)
    others = pd.arrays.IntegerArray(np.array([1, 9]), mask.copy())

    assert (
        text_of(pd.Series(ones))
        == text_of(pd.Series(others))
        == text_of(pd.Series([1, None], dtype="Int64"))
    )


@pytest.mark.parametrize("columns", [3, 150])
def test_a_frame_is_its_columns_whichever_way_it_lies(columns: int) -> None:
    data = np.random.default_rng(1).random((20_000, columns))
    data[5, 2] = math.nan
    by_rows = pd.DataFrame(data)
    by_columns = pd.DataFrame({name: data[:, name].copy() for name in range(columns)})
    changed = by_columns.copy()
    changed.iloc[19_999, columns - 1] = 2.0
    narrow = by_rows.astype({0: "f4"})

    assert text_of(by_rows) == text_of(by_columns)
    assert text_of(by_rows.iloc[::2]) == text_of(by_columns.iloc[::2].copy())
    assert len({text_of(each) for each in (by_rows, changed, narrow, by_rows[1:])}) == 4


def test_columns_of_one_name_and_levels_are_content() -> None:
    twins = pd.DataFrame([[1, 2]], columns=["a", "a"])
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))

    assert len({text_of(twins), text_of(twins.iloc[:, ::-1]), text_of(levels)}) == 3


@pytest.mark.parametrize(
    "values",
    [
        [decimal.Decimal("1.0"), decimal.Decimal("1.00")],
        [[1], [1, 2]],
        [{"a": 1}, {"a": 2}],
        [np.array([1]), np.array([2])],
        [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]})],
        [pd.Timestamp("2020"), pd.Timestamp("2020", tz="UTC")],
        [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 2, tzinfo=dt.UTC)],
    ],
    ids=str,
)
def test_objects_in_columns_are_content(values: list[object]) -> None:
    def make(value: object) -> "pd.Series[Any]":
        column = pd.Series([None] * 20, dtype=object)
        column.iloc[5] = value
        return column

    one, other = map(make, values)
    assert text_of(one) != text_of(other)
    assert text_of(one) == text_of(one.copy(deep=True))


def test_empty_frames_differ_by_what_they_have_none_of() -> None:
    empties = [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": []}, dtype="i4"),
        pd.DataFrame({"b": []}),
        pd.DataFrame(index=[0]),
        pd.DataFrame(index=pd.Index([], dtype="i4")),
        pd.Series([], dtype="f8"),
        pd.Index([], dtype="f8"),
        pd.DataFrame({"a": pd.Series([], dtype="category")}),
    ]

    assert len(set(map(text_of, empties))) == len(empties)


def test_arrays_of_pandas_and_of_arrow_inside_of_frames_are_content() -> None:
    lists = pd.Series(pa.array([[1], None, [2, 3]]), dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    changed = pd.Series(pa.array([[1], None, [2, 4]]), dtype=pd.ArrowDtype(pa.list_(pa.int64())))

    assert text_of(lists) == text_of(pd.concat([lists[:1], lists[1:]]))
    assert text_of(lists) != text_of(changed)
    assert text_of(lists.array) == text_of(lists.array.copy())
    assert text_of(pd.array([1, None])) != text_of(pd.array([1, 2]))
    assert show_cells([1]) != show_cells([1.0])
