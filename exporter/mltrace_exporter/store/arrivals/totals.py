"""Counters that inserts keep."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.metrics import DURATION_BUCKETS_S
from mltrace_exporter.model import Run
from mltrace_exporter.store.bulk import ask, write_array
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import metric_total

RUNS_TOTAL = "mltrace_component_runs_total"
TESTS_TOTAL = "mltrace_tests_total"
DURATIONS = "mltrace_component_run_duration_seconds"
"""Runs by component and the bucket that their duration is in, which its upper bound names."""
DURATION_SUM_US = "mltrace_component_run_duration_microseconds"
"""Durations by component, added up. Whole numbers stay exact, however many there are."""

RUN_OUTCOMES = {"ok": "succeeded", "error": "failed"}
TEST_OUTCOMES = {"pass": "passed", "fail": "failed", "error": "errored", "skip": "skipped"}

_BUCKET_NAMES = (*map(str, DURATION_BUCKETS_S), "+Inf")
_NO_TIME = timedelta(0)
_MICROSECOND = timedelta(microseconds=1)


def read_totals(connection: sa.Connection, metric: str) -> dict[tuple[str, ...], int]:
    """Return the metric's totals by their label values."""
    query = sa.select(metric_total.c.labels, metric_total.c.total).where(
        metric_total.c.metric == metric
    )
    return {tuple(labels): total for labels, total in connection.execute(query)}


def count_runs(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Count runs that have ended, and what their tests found."""
    totals = _add_up(list(runs))
    if not totals:
        return
    # One statement for all: each takes a way there and back, and others wait for these rows.
    counted = sorted(totals.items())
    said = {
        "metric": [metric for (metric, _), _ in counted],
        "labels": [write_array(labels) for (_, labels), _ in counted],
        "total": [total for _, total in counted],
    }
    connection.execute(_insert_totals(), said)


@prepared
def _insert_totals() -> pg.Insert:
    said = ask(metric=sa.Text, labels=sa.Text, total=sa.BigInteger).c
    rows = sa.select(said.metric, sa.cast(said.labels, pg.ARRAY(sa.Text)), said.total)
    insert = pg.insert(metric_total).from_select(["metric", "labels", "total"], rows)
    return insert.on_conflict_do_update(
        index_elements=["metric", "labels"],
        set_={"total": metric_total.c.total + insert.excluded.total},
    )


def _add_up(runs: Sequence[Run]) -> Mapping[tuple[str, tuple[str, ...]], int]:
    totals: Counter[tuple[str, tuple[str, ...]]] = Counter()
    ended = Counter((run.component, run.execution) for run in runs)
    for (component, execution), count in ended.items():
        totals[RUNS_TOTAL, (component, RUN_OUTCOMES[execution])] = count
    tested = Counter((run.component, test[:4]) for run in runs for test in run.tests)
    for (component, (suite, case, phase, status)), count in tested.items():
        totals[TESTS_TOTAL, (component, suite, case, phase, TEST_OUTCOMES[status])] = count
    for run in runs:
        took = max(run.ended_at - run.started_at, _NO_TIME)
        bucket = _BUCKET_NAMES[bisect_left(DURATION_BUCKETS_S, took.total_seconds())]
        totals[DURATIONS, (run.component, bucket)] += 1
        totals[DURATION_SUM_US, (run.component,)] += took // _MICROSECOND
    return totals
