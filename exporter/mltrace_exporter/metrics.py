"""Prometheus metrics from the store, so that batch jobs never have to expose any.

Totals are read from the table that every insert keeps, so several exporters on one database show
the same numbers, and deleting old runs does not make a counter fall. Each component's and each
test's outcomes are all shown, at 0 where they never happened: a counter that is born at 1 hides its
first increase from ``increase()``.
"""

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from mltrace_exporter.store.arrivals.totals import (
    RUN_OUTCOMES,
    RUNS_TOTAL,
    TEST_OUTCOMES,
    TESTS_TOTAL,
    read_totals,
)

Totals = Mapping[tuple[str, ...], int]


class StoreCollector(Collector):
    """Collects what the database has counted, at each scrape."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registration does not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the counters of component runs and of tests."""
        with self._engine.connect() as connection:
            runs, tests = read_totals(connection, RUNS_TOTAL), read_totals(connection, TESTS_TOTAL)
        yield _count(
            RUNS_TOTAL,
            "Component runs by how they ended.",
            ("component", "outcome"),
            runs,
            RUN_OUTCOMES.values(),
        )
        yield _count(
            TESTS_TOTAL,
            "Data tests run by components, by what they found.",
            ("component", "suite", "test", "phase", "outcome"),
            tests,
            TEST_OUTCOMES.values(),
        )


def _count(
    name: str, meaning: str, labels: tuple[str, ...], totals: Totals, outcomes: Iterable[str]
) -> Metric:
    """Return one counter; an outcome is the last label."""
    family = CounterMetricFamily(name.removesuffix("_total"), meaning, labels=labels)
    subjects = sorted({key[:-1] for key in totals})
    for subject in subjects:
        for outcome in outcomes:
            family.add_metric([*subject, outcome], totals.get((*subject, outcome), 0))
    return family
