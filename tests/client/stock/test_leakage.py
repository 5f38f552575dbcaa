import numpy as np
import pandas as pd
import pytest
from stocktests import Columns, Frame, judge

from mltrace_otel import SetupError
from mltrace_otel.stock import NoLeakage

RANDOM = np.random.default_rng(7)
ROWS = 400
DELAY = RANDOM.normal(10, 30, ROWS)
FEATURES: Columns = {
    "distance": RANDOM.normal(800, 200, ROWS).tolist(),
    "departed": (DELAY + RANDOM.normal(0, 20, ROWS)).tolist(),
    "carrier": RANDOM.choice(["AA", "UA"], ROWS).tolist(),
    "delay": DELAY.tolist(),
    "late": (DELAY > 15).tolist(),
}
COPIES: Columns = {
    "minutes": DELAY.tolist(),
    "cubed": (-(DELAY**3)).tolist(),
    "hour": (DELAY // 2).tolist(),
}


def test_features_that_only_say_something_are_no_leak(frame: Frame) -> None:
    honest = {name: each for name, each in FEATURES.items() if name != "late"}

    assert judge(NoLeakage("flights", "delay"), flights=frame(honest)) == {
        "test_no_leakage": "pass"
    }


def test_a_monotone_copy_of_the_label_is_found_in_frames_of_every_library(frame: Frame) -> None:
    (found,) = judge(NoLeakage("flights", "delay"), flights=frame({**FEATURES, **COPIES})).values()

    assert found == (
        "fail: minutes tells delay to 1.000; at most 0.98 is allowed. "
        "cubed tells delay to 1.000; at most 0.98 is allowed. "
        "hour tells delay to 1.000; at most 0.98 is allowed."
    )


def test_what_a_label_of_two_values_was_made_from_is_found(frame: Frame) -> None:
    (found,) = judge(NoLeakage("flights", "late"), flights=frame(FEATURES)).values()

    assert found == "fail: delay tells late to 1.000; at most 0.98 is allowed."


def test_a_label_may_be_text_and_so_may_its_copy(frame: Frame) -> None:
    words = {"answer": ["yes" if each else "no" for each in FEATURES["late"]]}
    flights = frame({"carrier": FEATURES["carrier"], "late": FEATURES["late"], **words})

    (found,) = judge(NoLeakage("flights", "answer"), flights=flights).values()

    assert found == "fail: late tells answer to 1.000; at most 0.98 is allowed."


def test_a_label_may_be_a_variable_of_its_own(frame: Frame) -> None:
    flights = frame({name: FEATURES[name] for name in ("distance", "delay")})
    label = np.array(FEATURES["late"])

    (found,) = judge(NoLeakage("x", labels="y"), x=flights, y=label).values()
    (chosen,) = judge(NoLeakage("x", labels="y", columns="distance"), x=flights, y=label).values()

    assert found == "fail: delay tells the label to 1.000; at most 0.98 is allowed."
    assert chosen == "pass"


def test_rows_without_a_value_are_left_out() -> None:
    gaps = pd.DataFrame({"a": [None, *range(20)], "y": [*range(20), None]})

    (found,) = judge(NoLeakage("x", "y"), x=gaps).values()

    assert found == "fail: a tells y to 1.000; at most 0.98 is allowed."


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"a": [1, 2], "y": [1, 2]}),
        pd.DataFrame({"a": [1] * 20, "y": range(20)}),
        pd.DataFrame({"a": range(20), "y": [1] * 20}),
        pd.DataFrame({"a": [None] * 20, "y": range(20)}),
    ],
    ids=["few rows", "constant feature", "constant label", "nulls"],
)
def test_what_can_tell_nothing_is_no_leak(data: pd.DataFrame) -> None:
    assert judge(NoLeakage("x", "y"), x=data) == {"test_no_leakage": "pass"}


def test_a_label_without_an_order_is_skipped() -> None:
    data = pd.DataFrame({"a": range(30), "y": ["a", "b", "c"] * 10})

    assert judge(NoLeakage("x", "y"), x=data) == {
        "test_no_leakage": "skip: the label has 3 texts, which have no order to compare with"
    }


def test_of_many_rows_some_are_looked_at() -> None:
    copy = np.arange(1_000_000)

    (found,) = judge(NoLeakage("x", "0"), x=np.column_stack([copy, copy])).values()

    assert found == "fail: 1 tells 0 to 1.000; at most 0.98 is allowed."


def test_a_label_that_is_not_said_is_refused() -> None:
    with pytest.raises(SetupError, match="NoLeakage needs a label"):
        NoLeakage("x")


def test_labels_that_do_not_fit_are_told() -> None:
    data = pd.DataFrame({"a": range(30), "y": range(30)})

    assert list(judge(NoLeakage("x", labels="y"), x=data, y=[1, 2]).values()) == [
        "fail: There are 30 rows of features and 2 labels."
    ]
    assert list(judge(NoLeakage("x", labels="y"), x=data, y=data).values()) == [
        "fail: The label's variable has 2 columns: say which is the label."
    ]
