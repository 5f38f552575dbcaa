"""Counters that inserts keep."""

from collections import Counter
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Run
from mltrace_exporter.store.schema import metric_total

RUNS_TOTAL = "mltrace_component_runs_total"
TESTS_TOTAL = "mltrace_tests_total"

RUN_OUTCOMES = {"ok": "succeeded", "error": "failed"}
TEST_OUTCOMES = {"pass": "passed", "fail": "failed"}


def read_totals(connection: sa.Connection, metric: str) -> dict[tuple[str, ...], int]:
    """Return the metric's totals by their label values."""
    query = sa.select(metric_total.c.labels, metric_total.c.total).where(
        metric_total.c.metric == metric
    )
    return {tuple(labels): total for labels, total in connection.execute(query)}


def count_runs(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Count runs that have ended, and what their tests found."""
    totals: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for run in runs:
        totals[RUNS_TOTAL, (run.component, RUN_OUTCOMES[run.execution])] += 1
        for test in run.tests:
            outcome = TEST_OUTCOMES[test.status]
            totals[TESTS_TOTAL, (run.component, test.suite, test.case, test.phase, outcome)] += 1
    if not totals:
        return
    insert = pg.insert(metric_total)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["metric", "labels"],
            set_={"total": metric_total.c.total + insert.excluded.total},
        ),
        [
            {"metric": metric, "labels": list(labels), "total": total}
            for (metric, labels), total in sorted(totals.items())
        ],
    )
