"""A component's history as a sequence, against a real server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import at, make_run, make_span_id, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrace_otel import ArtifactMissing, Component, History, save

COUNT = 7


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def history(record: Callable[..., None]) -> History:
    """Seven runs of one component, and one of another."""
    record(*(make_run("daily", minute) for minute in range(COUNT)), make_run("other", 3))
    return Component("daily").history


def test_the_first_run_comes_first_and_the_newest_last(history: History) -> None:
    assert len(history) == COUNT
    starts = [run.start_timestamp for run in history]
    assert starts == [at(minute) for minute in range(COUNT)]
    assert (history[0], history[-1]) == tuple(list(history)[:: COUNT - 1])
    assert [run.id for run in reversed(history)] == [run.id for run in history][::-1]
    assert history[2] in history


@pytest.mark.parametrize("index", [COUNT, -COUNT - 1, 10_000])
def test_an_index_beyond_the_history_is_an_error(history: History, index: int) -> None:
    with pytest.raises(IndexError, match=rf"'daily' has no run \[{index}\]"):
        history[index]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.slices(COUNT + 2))
def test_slices_are_those_of_a_list(history: History, chosen: slice) -> None:
    assert history[chosen] == list(history)[chosen]


def test_runs_are_found_by_time_and_index(history: History) -> None:
    assert list(history.get_runs_by_time(at(2), at(4))) == history[2:4]
    assert list(history.get_runs_by_time(end_time="2026-01-01T00:02")) == history[:2]
    assert len(history.get_runs_by_time()) == COUNT
    assert history.get_runs_by_index(0, 1) == [history[0]]
    assert history.get_runs_by_index(-2, COUNT) == history[-2:]
    assert history.get_runs_by_index(3, 3) == []


def test_a_component_that_never_ran_has_an_empty_history() -> None:
    history = Component("never").history

    assert (len(history), list(history), history[1:]) == (0, [], [])
    with pytest.raises(IndexError):
        history[-1]


def test_only_runs_that_ended_are_history(record: Callable[..., None]) -> None:
    record(make_run("daily", 0, execution="error"), make_run("daily", 1))

    assert [str(run.execution) for run in Component("daily").history] == ["error", "ok"]


def test_each_page_is_read_as_it_is_used(record: Callable[..., None]) -> None:
    record(*(make_run("often", minute, id=make_span_id()) for minute in range(1200)))
    history = Component("often").history

    assert [run.start_timestamp for run in history] == [at(minute) for minute in range(1200)]
    assert [run.start_timestamp for run in history[1100::-550]] == [at(1100), at(550), at(0)]
    assert len(history.to_pandas()) == 1200


def test_a_kept_output_can_be_loaded_again(record: Callable[..., None], tmp_path: Path) -> None:
    kept = save({"rows": 3}, tmp_path / "kept.joblib")
    record(make_run("daily", io=[wrote(kept), wrote("gone.csv")]))
    there, gone = Component("daily").history[-1].outputs

    assert there.load() == {"rows": 3}
    with pytest.raises(ArtifactMissing):
        gone.load()


def test_a_history_can_be_shown_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTRACE_ADDRESS", "127.0.0.1:1")

    assert repr(Component("daily").history) == "History('daily')"
