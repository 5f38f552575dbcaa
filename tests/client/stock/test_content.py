import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from stocktests import Columns, Frame, judge

from mltrace_exporter.model import Run
from mltrace_otel import Component, SetupError
from mltrace_otel.stock import Fresh, InRange, NoNulls, NoOutliers, Schema, Unique

Recorded = Callable[[], list[Run]]
NOW = datetime.now(UTC).replace(tzinfo=None)
ORDERS: Columns = {
    "id": [1, 2, 2, 4],
    "amount": [10.0, None, float("nan"), -5.0],
    "paid": [True, False, True, True],
    "customer": ["ada", None, "bob", "ada"],
    "at": [NOW - timedelta(days=3), None, NOW - timedelta(days=2), NOW - timedelta(days=9)],
}
ALL_WRONG = "There is no column x; there are: id, amount, paid, customer, at."


def test_a_null_is_found_in_frames_of_every_library(frame: Frame) -> None:
    found = judge(NoNulls("orders"), orders=frame(ORDERS))

    assert found == {
        "test_no_nulls": "fail: 2 of 4 values of amount are null; at most 0 % are allowed. "
        "1 of 4 values of customer is null; at most 0 % are allowed. "
        "1 of 4 values of at is null; at most 0 % are allowed."
    }


def test_a_share_of_nulls_is_allowed_and_columns_are_chosen(frame: Frame) -> None:
    orders = frame(ORDERS)

    assert judge(NoNulls("orders", ["id", "paid"]), orders=orders) == {"test_no_nulls": "pass"}
    assert judge(NoNulls("orders", most=0.5), orders=orders) == {"test_no_nulls": "pass"}
    assert judge(NoNulls("orders", "x"), orders=orders) == {"test_no_nulls": f"fail: {ALL_WRONG}"}


def test_a_value_out_of_range_is_found_in_frames_of_every_library(frame: Frame) -> None:
    orders = frame(ORDERS)

    assert judge(InRange("orders", least=0), orders=orders) == {
        "test_range": "fail: 1 of 4 values of amount lies below 0: -5."
    }
    assert judge(InRange("orders", ["id", "amount"], least=-5, most=3), orders=orders) == {
        "test_range": "fail: 1 of 4 values of id lies outside -5 to 3: 4. "
        "1 of 4 values of amount lies outside -5 to 3: 10."
    }
    assert judge(InRange("orders", most=10), orders=orders) == {"test_range": "pass"}


def test_a_datetime_out_of_range_is_found_in_frames_of_every_library(frame: Frame) -> None:
    day = (NOW - timedelta(days=4)).date()
    orders = frame(ORDERS)

    found = judge(InRange("orders", least=day), orders=orders)["test_range"]

    old = NOW - timedelta(days=9)
    assert found == f"fail: 1 of 4 values of at lies below {day} 00:00:00: {old:%Y-%m-%d %H:%M:%S}."
    assert judge(InRange("orders", "at", most=NOW), orders=orders) == {"test_range": "pass"}
    found = judge(InRange("orders", "customer", most=NOW), orders=orders)["test_range"]
    assert "it must be datetime." in found


def test_a_repeated_row_is_found_in_frames_of_every_library(frame: Frame) -> None:
    orders = frame(ORDERS)

    assert judge(Unique("orders", "id"), orders=orders) == {
        "test_unique": "fail: 1 of 4 rows repeats an earlier one in id; none may."
    }
    assert judge(Unique("orders", ["id", "paid"]), orders=orders) == {"test_unique": "pass"}
    assert judge(Unique("orders"), orders=orders) == {"test_unique": "pass"}


def test_the_age_of_the_newest_value_is_told_in_frames_of_every_library(frame: Frame) -> None:
    orders = frame(ORDERS)
    newest = NOW - timedelta(days=2)

    assert judge(Fresh("orders", "at", within=timedelta(days=3)), orders=orders) == {
        "test_fresh": "pass"
    }
    assert judge(Fresh("orders", "at", within=timedelta(hours=36)), orders=orders) == {
        "test_fresh": f"fail: The newest value of at is {newest:%Y-%m-%d %H:%M:%S}, 2 days old; "
        "at most 36 h are allowed."
    }
    found = judge(Fresh("orders", "id", within=timedelta(days=3)), orders=orders)["test_fresh"]
    assert found.casefold() == "fail: id is int64; it must be datetime."


def test_columns_and_their_types_are_told_in_frames_of_every_library(frame: Frame) -> None:
    types = {
        "id": "integer",
        "amount": "number",
        "paid": "boolean",
        "customer": "text",
        "at": "datetime",
    }
    orders = frame(ORDERS)

    assert judge(Schema("orders", types), orders=orders) == {
        "test_columns": "pass",
        "test_types": "pass",
    }
    found = judge(Schema("orders", {**types, "id": "text", "x": None}), orders=orders)
    assert found["test_columns"] == "fail: 1 column is missing: x."
    assert found["test_types"].casefold() == "fail: id is int64; expected is text."


def test_columns_that_nobody_expects_are_found_unless_more_are_allowed(frame: Frame) -> None:
    expected = ["id", "amount", "paid"]
    orders = frame(ORDERS)

    assert judge(Schema("orders", expected), orders=orders) == {
        "test_columns": "fail: 2 columns are not expected: customer, at.",
        "test_types": "pass",
    }
    assert judge(Schema("orders", expected, more=True), orders=orders)["test_columns"] == "pass"


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (pd.DataFrame({"x": [1]}), "int64"),
        (pd.DataFrame({"x": [1]}, dtype="int8"), "int8"),
        (pd.DataFrame({"x": ["a"]}, dtype="category"), "Categorical"),
        (pl.DataFrame({"x": [1]}), "Int64"),
        (pl.DataFrame({"x": [date(2026, 1, 1)]}), "date"),
        (pa.table({"x": pa.array([1], pa.uint16())}), "uint16"),
        (pa.RecordBatch.from_pydict({"x": [[1]]}), "list<item: int64>"),
    ],
)
def test_a_type_can_be_named_as_its_library_does(value: object, type_: str) -> None:
    assert judge(Schema("value", {"x": type_}), value=value)["test_types"] == "pass"
    found = judge(Schema("value", {"x": "boolean"}), value=value)["test_types"]
    assert re.fullmatch(r"fail: x is [\w<>: ]+; expected is boolean\.", found)


def test_outliers_are_found_in_frames_of_every_library(frame: Frame) -> None:
    amounts = [float(each % 20) for each in range(200)]
    usual, odd = frame({"amount": amounts}), frame({"amount": [*amounts[3:], 900.0, 900.0, -900.0]})

    assert judge(NoOutliers("orders"), orders=usual) == {"test_no_outliers": "pass"}
    assert judge(NoOutliers("orders", most=0.02), orders=odd) == {"test_no_outliers": "pass"}
    (found,) = judge(NoOutliers("orders"), orders=odd).values()
    assert found == (
        "fail: 3 of 200 values of amount lie outside -25 to 45: from -900 to 900 (3 times the "
        "distance of the quartiles); at most 1 % may."
    )


def test_a_column_that_hardly_varies_has_no_outliers() -> None:
    assert judge(NoOutliers("x"), x=[0] * 99 + [5] * 9) == {"test_no_outliers": "pass"}


@pytest.mark.parametrize(
    "value",
    [
        [0.2, 1.5],
        (0.2, 1.5),
        np.array([0.2, 1.5]),
        np.array([[0.2], [1.5]]),
        np.array([0.2, None, 1.5, np.nan], dtype=object),
        pd.Series([0.2, 1.5, None]),
        pl.Series([0.2, 1.5, None]),
        pa.array([0.2, 1.5, None]),
        pa.chunked_array([[0.2], [1.5]]),
        pd.Series([0.2, 1.5]).to_frame("p"),
        1.5,
        np.float32(1.5),
    ],
    ids=lambda value: f"{type(value).__module__}.{type(value).__name__}",
)
def test_arrays_lists_and_numbers_are_columns_too(value: object) -> None:
    (found,) = judge(InRange("p", least=0, most=1), p=value).values()

    assert "1.5." in found
    assert "outside 0 to 1" in found
    assert judge(InRange("p", least=0, most=2), p=value) == {"test_range": "pass"}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("text", "A str is no frame, array, list or number."),
        (None, "A NoneType is no frame, array, list or number."),
        ({"a": [1]}, "A dict is no frame, array, list or number."),
        (pl.LazyFrame({"a": [1]}), "A LazyFrame is not in memory: collect it first."),
    ],
)
def test_what_has_no_columns_fails_and_says_so(value: object, why: str) -> None:
    assert judge(NoNulls("x"), x=value) == {"test_no_nulls": f"fail: {why}"}


@pytest.mark.parametrize("empty", [pd.DataFrame({"a": []}), pl.DataFrame(), np.empty((0, 3)), []])
def test_nothing_is_wrong_with_the_values_of_what_is_empty(empty: object) -> None:
    for test in (NoNulls("x"), InRange("x", least=0), Unique("x"), NoOutliers("x")):
        assert set(judge(test, x=empty).values()) == {"pass"}


def test_what_has_no_datetimes_is_not_fresh() -> None:
    fresh = Fresh("x", within=timedelta(days=1))

    assert judge(fresh, x=[1, 2]) == {"test_fresh": "fail: There is no column of datetimes."}
    assert judge(fresh, x=np.array(["NaT"], "datetime64[s]")) == {
        "test_fresh": "fail: No value is there to tell how old it is."
    }
    assert judge(fresh, x=[datetime.now(UTC), None]) == {"test_fresh": "pass"}


def test_infinities_are_outside_and_beyond() -> None:
    values = [*range(100), float("inf"), float("-inf")]

    assert judge(InRange("x", most=200), x=values) == {
        "test_range": "fail: 1 of 102 values lies above 200: inf."
    }
    (found,) = judge(NoOutliers("x"), x=values).values()
    assert found.startswith("fail: 2 of 102 values lie outside -123.75 to 222.75: from -inf to inf")


def test_many_wrong_columns_are_counted() -> None:
    frame = pd.DataFrame({f"c{number}": [None] for number in range(1000)})

    (found,) = judge(NoNulls("x"), x=frame).values()

    assert found.endswith("of c4 is null; at most 0 % are allowed. The same holds for 995 more.")


def test_columns_of_one_name_fail_and_say_so() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])

    (found,) = judge(NoNulls("x"), x=frame).values()

    assert found.startswith("fail: DuplicateError: Expected unique column names")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: NoNulls(""), "NoNulls needs the name of a variable"),
        (lambda: NoNulls("x", most=5), "most=5 is no share: give a number from 0 to 1."),
        (lambda: InRange("x"), "InRange needs a bound"),
        (lambda: InRange("x", least=2, most=1), "Nothing lies in a range from 2 to 1."),
        (lambda: NoOutliers("x", fence=0), "fence=0 makes no sense"),
        (lambda: Fresh("x", within=timedelta()), "within=0:00:00 makes no sense"),
    ],
)
def test_what_makes_no_sense_is_refused_where_the_test_is_made(
    make: Callable[[], object], why: str
) -> None:
    with pytest.raises(SetupError, match=re.escape(why)):
        make()


def test_stock_tests_look_at_variables_of_the_function(recorded: Recorded) -> None:
    @Component(
        "clean",
        beforeTests=[NoNulls("orders", "amount")],
        afterTests=[NoNulls("kept", "amount"), InRange("kept", "amount", least=0)],
    ).run(kept="complete")
    def clean(orders: pd.DataFrame) -> pd.DataFrame:
        complete = orders.dropna()
        return complete  # noqa: RET504 - a variable to test

    clean(pd.DataFrame(ORDERS))

    assert [(each.suite, each.phase, each.status) for each in recorded()[0].tests] == [
        ("NoNulls(orders.amount)", "before", "fail"),
        ("NoNulls(kept.amount)", "after", "pass"),
        ("InRange(kept.amount)", "after", "fail"),
    ]
