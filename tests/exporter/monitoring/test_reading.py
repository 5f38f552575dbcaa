"""What a snapshot says of runs: how components are, what is usual for them, what is stale."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from builders import at, make_marker, make_run, make_test, read, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrace_exporter import metrics
from mltrace_exporter.model import Batch, Run
from mltrace_exporter.monitoring.reading import read_habits, read_snapshot
from mltrace_exporter.monitoring.snapshot import Distribution, Snapshot
from mltrace_exporter.store.arrivals.write import write_batch, write_runs
from mltrace_exporter.store.upkeep.retention import Limits, prune
from mltrace_exporter.store.vitals import read_pauses

HOUR, DAY = 60, 24 * 60
HOUR_S, DAY_S = 3600, 24 * 3600


def look(connection: sa.Connection, minutes: float = 1_000_000) -> Snapshot:
    """Return the snapshot at a time."""
    until = at(minutes)
    return read_snapshot(connection, read_habits(connection, until), until.timestamp())


def find_pause(connection: sa.Connection, starts: Iterable[float]) -> float | None:
    """Return the usual interval of a component with runs that began then, in hours."""
    write_runs(connection, [make_run("etl", start=start) for start in starts])
    pause_s = read_pauses(connection, at(40 * DAY)).get("etl")
    return None if pause_s is None else pause_s / HOUR_S


@pytest.mark.parametrize(
    ("starts", "hours"),
    [
        ([30 * DAY + day * DAY for day in range(10)], 24),
        # An outage of four days is forgiven.
        ([20 * DAY + day * DAY for day in range(20) if day not in {7, 8, 9}], 24),
        # It rests on weekends.
        ([12 * DAY + day * DAY for day in range(28) if day % 7 < 5], 72),
        # Each night a batch of a hundred runs.
        ([35 * DAY + day * DAY + run / 10 for day in range(5) for run in range(100)], 24),
        # Rare, and longer ago than 28 days.
        ([number * 3 * DAY for number in range(4)], 72),
        # All the time, but for nights.
        (
            [
                36 * DAY + day * DAY + 8 * HOUR + minutes
                for day in range(4)
                for minutes in range(0, 10 * HOUR, 20)
            ],
            14 + 20 / 60,
        ),
        # All the time.
        ([39 * DAY + minutes for minutes in range(0, 300, 2)], 5 / 60),
    ],
)
def test_the_usual_interval_is_the_longest_pause_but_one(
    connection: sa.Connection, starts: list[float], hours: float
) -> None:
    assert find_pause(connection, starts) == pytest.approx(hours, abs=0.1)


def test_after_three_runs_nothing_is_usual_yet(connection: sa.Connection) -> None:
    assert find_pause(connection, [35 * DAY, 36 * DAY, 37 * DAY]) is None
    assert find_pause(connection, [38 * DAY]) == 24


def test_a_run_that_goes_on_is_neither_a_failure_nor_silence(connection: sa.Connection) -> None:
    now = datetime.now(UTC)
    begun = make_run("etl", started_at=now - timedelta(hours=2), ended_at=now)
    failed = make_run("etl", started_at=now - timedelta(hours=5), ended_at=now, execution="error")
    marker = make_marker(begun, alive=119)
    write_batch(connection, Batch(runs=[failed], markers=[marker]))
    snapshot = look(connection)

    assert snapshot.values[metrics.LAST_OUTCOME]["etl", "failed"] == 1
    moment = snapshot.values[metrics.LAST_RUN][("etl",)]
    assert moment == pytest.approx((now - timedelta(minutes=1)).timestamp(), abs=1)


def test_a_run_whose_process_went_away_is_aborted(connection: sa.Connection) -> None:
    write_batch(connection, Batch(markers=[make_marker(make_run("etl"), state="aborted")]))
    values = look(connection).values

    assert values[metrics.LAST_OUTCOME]["etl", "aborted"] == 1
    assert values[metrics.RUNS]["etl", "failed"] == 0


def test_the_last_outcome_is_that_of_the_run_that_began_last(connection: sa.Connection) -> None:
    newer = make_run("etl", start=5, execution="error", tests=(make_test("t", "error"),))
    older = make_run("etl", start=1, tests=(make_test("t"), make_test("u")))
    write_runs(connection, [newer])
    write_runs(connection, [older])
    values = look(connection).values

    assert values[metrics.LAST_OUTCOME]["etl", "failed"] == 1
    test = ("etl", "RangeTest", "t", "after")
    assert values[metrics.TEST_LAST_OUTCOME][*test, "errored"] == 1
    assert values[metrics.TEST_LAST_OUTCOME][*test, "passed"] == 0
    assert values[metrics.TEST_LAST_RUN][test] == at(6).timestamp()
    assert values[metrics.TESTS][*test, "passed"] == 1
    # The older run brought a test that the newer one did not: it is known still.
    assert values[metrics.TEST_LAST_OUTCOME]["etl", "RangeTest", "u", "after", "passed"] == 1


def test_a_test_that_is_gone_from_the_newest_runs_is_gone(connection: sa.Connection) -> None:
    old = make_run("etl", start=0, tests=(make_test("renamed", "fail"),))
    write_runs(connection, [old, *(make_run("etl", start=number) for number in range(1, 21))])
    values = look(connection).values

    assert values[metrics.TEST_LAST_OUTCOME] == {}
    assert values[metrics.TESTS]["etl", "RangeTest", "renamed", "after", "failed"] == 1


def test_stale_inputs_of_the_newest_run_are_counted(connection: sa.Connection) -> None:
    write_runs(
        connection,
        [
            make_run("etl", start=0, io=[wrote("a")]),
            make_run("etl", start=50 * DAY, io=[wrote("a")]),
            make_run("other", start=0, io=[wrote("b")]),
            make_run("train", start=10, io=[read("a"), wrote("m")]),
            make_run("train", start=51 * DAY, io=[read("a"), read("b"), wrote("m")]),
        ],
    )
    snapshot = look(connection)

    assert snapshot.values[metrics.STALE_INPUTS] == {("etl",): 0, ("other",): 0, ("train",): 1}
    assert "train" in snapshot.troubled


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(["ok", "error"]), st.floats(0, 2_000)), max_size=8))
def test_totals_are_those_of_all_runs_that_ever_were(
    engine: sa.Engine, ends: list[tuple[str, float]]
) -> None:
    with engine.connect() as connection:
        runs: list[Run] = [
            make_run("etl", start=number, end=number + took, execution=execution)
            for number, (execution, took) in enumerate(ends)
        ]
        for each in (runs[:3], runs, runs[2:]):
            write_runs(connection, each)
        values = look(connection).values

        for execution, outcome in (("ok", "succeeded"), ("error", "failed")):
            expected = sum(end == execution for end, _ in ends)
            assert values[metrics.RUNS].get(("etl", outcome), 0) == expected
        took = values[metrics.RUN_DURATION].get(("etl",), Distribution((), (), 0))
        assert isinstance(took, Distribution)
        assert sum(took.counts) == len(ends)
        expected_s = sum(60 * minutes for _, minutes in ends)
        assert took.sum == pytest.approx(expected_s, abs=1e-5)  # of microseconds


def test_a_total_does_not_fall_when_runs_are_deleted(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        write_runs(connection, [make_run("etl", start=number) for number in range(9)])
        before = look(connection).values
    prune(engine, Limits(None, 1, None))
    with engine.connect() as connection:
        after = look(connection).values

    for metric in (metrics.RUNS, metrics.RUN_DURATION):
        assert after[metric] == before[metric]
