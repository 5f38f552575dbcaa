"""Why runs are stale, one reason by one."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from builders import make_profile, make_run, read, wrote
from summarising import make_numeric

from mltrace_exporter.model import Run, VariableProfile
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.schema import component_run

_DAY = 24 * 60


Explain = Callable[..., list[str]]


@pytest.fixture
def stale(connection: sa.Connection) -> Explain:
    """Stores runs and returns why the last is stale, ids of runs replaced by their places."""

    def explain(*runs: Run) -> list[str]:
        write_runs(connection, runs)
        (run_id,) = connection.scalars(
            sa.select(component_run.c.id).where(component_run.c.span_id == runs[-1].id.span_id)
        )
        return [reason.sentence for reason in summarise(connection, [run_id])[run_id].stale]

    return explain


def test_an_input_from_41_days_ago_is_stale(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("etl", 0, 1, io=[wrote("a")]), make_run("train", 41 * _DAY + 1, io=[read("a")])
    )
    assert sentence.startswith("etl (ID ")
    assert sentence.endswith(") was run 41 days ago.")


def test_an_input_of_exactly_the_threshold_is_fresh(stale: Explain) -> None:
    assert (
        stale(
            make_run("etl", 0, 1, io=[wrote("a")]), make_run("train", 30 * _DAY + 1, io=[read("a")])
        )
        == []
    )


def test_a_run_says_its_own_threshold(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("etl", 0, 1, io=[wrote("a")]),
        make_run("train", 121, io=[read("a")], staleness_threshold_s=3600.0),
    )
    assert sentence.endswith(") was run 2.0 hours ago.")


def test_a_fresher_run_that_wrote_the_same_pointer_is_told(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("etl", 0, io=[wrote("a", "d:1")]),
        make_run("etl", 2, io=[wrote("a", "d:2")]),
        make_run("train", 5, io=[read("a", "d:1")]),
    )
    assert sentence.endswith(" has 1 fresher run(s) that began before this component run started.")


def test_a_run_that_began_before_the_consumer_but_ended_after_it_is_fresher(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("etl", 0, io=[wrote("a")]),
        make_run("etl", 4, 9, io=[wrote("a")]),
        make_run("train", 5, io=[read("a")]),
    )
    assert "1 fresher run(s)" in sentence


def test_runs_of_another_partition_are_not_fresher(stale: Explain) -> None:
    assert (
        stale(
            make_run("features", 0, io=[wrote("customer-1")], partition="1"),
            make_run("features", 1, io=[wrote("customer-2")], partition="2"),
            make_run("predict", 5, io=[read("customer-1")]),
        )
        == []
    )


def test_time_stamped_files_are_replaced_by_any_later_run(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("etl", 0, io=[wrote("a-0.csv")]),
        make_run("etl", 1, io=[wrote("a-1.csv")]),
        make_run("etl", 2),  # wrote nothing, so it replaced nothing
        make_run("train", 5, io=[read("a-0.csv")]),
    )
    assert "1 fresher run(s)" in sentence


def test_where_names_are_written_again_only_the_same_name_counts(stale: Explain) -> None:
    assert (
        stale(
            make_run("etl", 0, io=[wrote("b.csv")]),
            make_run("etl", 1, io=[wrote("a.csv")]),
            make_run("etl", 2, io=[wrote("b.csv")]),
            make_run("train", 5, io=[read("a.csv")]),
        )
        == []
    )


def hold(factor: float = 1, **fields: Any) -> tuple[VariableProfile, ...]:
    delays = [factor * number for number in range(100)]
    return (make_profile(make_numeric("delay", delays), variable="flights", **fields),)


def test_data_that_the_model_was_not_built_on_is_told(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("features", 0, io=[wrote("f1")], profiles=hold()),
        make_run("train", 2, io=[read("f1"), wrote("model")]),
        make_run("features", 4, io=[wrote("f2")], profiles=hold(60)),
        make_run("predict", 6, io=[read("f2"), read("model")]),
    )
    assert sentence.startswith("train (ID ")
    assert ") was built on other data than flights of features (ID " in sentence
    assert "): delay: median went from 48.3 to 2,959, PSI " in sentence
    assert sentence.endswith(" (threshold 0.2), and 1 more.")


def test_an_input_that_the_model_was_not_built_on_is_told(stale: Explain) -> None:
    (sentence,) = stale(
        make_run("train", 2, io=[wrote("model")], profiles=hold(direction="input")),
        make_run("predict", 6, io=[read("model")], profiles=hold(60, direction="input")),
    )
    assert ") was built on other data than flights: delay: median went from " in sentence


def test_data_like_that_which_the_model_was_built_on_is_fresh(stale: Explain) -> None:
    runs = (
        make_run("features", 0, io=[wrote("f1")], profiles=hold()),
        make_run("train", 2, io=[read("f1"), wrote("model")]),
    )
    assert stale(*runs, make_run("predict", 4, io=[read("f1"), read("model")])) == []
    again = make_run("features", 6, io=[wrote("f2")], profiles=hold(1.01))
    assert stale(again, make_run("predict", 8, io=[read("f2"), read("model")])) == []
