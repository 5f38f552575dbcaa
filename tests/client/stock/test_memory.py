"""Stock tests that remember: what a value was in earlier runs, as a real server tells it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from builders import make_profile, make_run
from serving import serve_api
from stocktests import judge

from mltrace_exporter.model import VariableProfile
from mltrace_otel import SetupError
from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiling import make_profile as summarise
from mltrace_otel.questions import patience
from mltrace_otel.questions.past import PastRuns
from mltrace_otel.stock import NoDrift, NoSkew, RowCount

Record = Callable[..., None]


@pytest.fixture(autouse=True)
def server(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serve_api(engine) as url:
        monkeypatch.setenv("MLTRACE_ADDRESS", url)
        # The machine may be busy with other tests.
        monkeypatch.setattr(patience, "LIMIT_S", 30.0)
        yield url


def draw(seed: int, factor: float = 1, rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    carriers = rng.choice(["UA", "AA", "B6"], rows)
    return pd.DataFrame({"delay": factor * rng.normal(10, 4, rows), "carrier": carriers})


def hold(frame: pd.DataFrame, direction: str = "output") -> tuple[VariableProfile, ...]:
    profile = summarise("flights", frame)
    assert profile is not None
    told = make_profile(*profile.columns, variable="flights", direction=direction)
    assert told.columns == encode_columns(profile.columns)
    return (told,)


@pytest.fixture
def history(record: Record) -> PastRuns:
    record(*(make_run("feed", minute, profiles=hold(draw(minute))) for minute in range(6)))
    return PastRuns("feed")


def test_what_is_as_before_has_not_drifted(history: PastRuns) -> None:
    assert judge(NoDrift("flights"), history, flights=draw(9)) == {"test_no_drift": "pass"}
    assert judge(RowCount("flights"), history, flights=draw(9)) == {"test_row_count": "pass"}


def test_what_drifted_is_told_in_sentences(history: PastRuns) -> None:
    found = judge(NoDrift("flights"), history, flights=draw(9, 60))["test_no_drift"]

    assert re.match(r"fail: delay: median went from [\d.]+ to \d+, PSI .* \(threshold 0.2\)", found)
    assert "carrier" not in found
    only = judge(NoDrift("flights", "carrier"), history, flights=draw(9, 60))
    assert only == {"test_no_drift": "pass"}
    strict = NoDrift("flights", "delay", measure="ks", threshold=0.001)
    assert judge(strict, history, flights=draw(9, 1.2))["test_no_drift"].startswith("fail: delay:")
    missing = judge(NoDrift("flights", "dealy"), history, flights=draw(9))
    assert missing == {"test_no_drift": "fail: There is no column dealy."}


def test_rows_that_are_missing_or_there_twice_are_told(history: PastRuns) -> None:
    found = judge(RowCount("flights"), history, flights=draw(9, rows=150))["test_row_count"]
    assert found == (
        "fail: 150 rows; the median of 6 earlier runs is 400, and a factor of 2 is allowed."
    )
    twice = judge(RowCount("flights", factor=1.5), history, flights=draw(9, rows=800))
    assert twice["test_row_count"].startswith("fail: 800 rows;")


def test_what_a_model_was_not_trained_on_is_told(record: Record) -> None:
    record(make_run("training", 1, profiles=hold(draw(1), "input")))
    serving = PastRuns("predict", "before")

    alike = judge(NoSkew("rows", "training", recorded="flights"), serving, rows=draw(2))
    assert alike == {"test_no_skew": "pass"}
    other = judge(NoSkew("flights", "training"), serving, flights=draw(2, 60))
    assert other["test_no_skew"].startswith("fail: delay: median went from ")


def test_without_earlier_runs_nothing_is_known(
    history: PastRuns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del tmp_path
    new = PastRuns("new")
    for test in (NoDrift("flights"), RowCount("flights")):
        (found,) = judge(test, new, flights=draw(1)).values()
        assert found == "skip: no earlier run of new profiled flights"
    (found,) = judge(NoDrift("other"), history, other=draw(1)).values()
    assert found == "skip: no earlier run of feed profiled other"
    monkeypatch.setenv("MLTRACE_ADDRESS", "http://127.0.0.1:9")
    (found,) = judge(NoDrift("flights"), PastRuns("feed"), flights=draw(1)).values()
    assert found.startswith("skip: no history: ")


def test_what_is_no_data_is_told(history: PastRuns) -> None:
    (found,) = judge(NoDrift("flights"), history, flights="a text").values()
    assert found == "fail: A str is no table, array or list of numbers."


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NoDrift("x", measure="psy"), "There is no measure 'psy'"),
        (lambda: NoDrift("x", threshold=0), "threshold=0 makes no sense"),
        (lambda: RowCount("x", factor=0.5), "factor=0.5 makes no sense"),
    ],
)
def test_what_makes_no_sense_is_a_mistake_of_setup(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SetupError, match=re.escape(words)):
        make()
