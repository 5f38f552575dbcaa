"""Counters that inserts keep."""

import sqlalchemy as sa

from mltrace_exporter.store.schema import metric_total


def read_totals(connection: sa.Connection, metric: str) -> dict[tuple[str, ...], int]:
    """Return the metric's totals by their label values."""
    query = sa.select(metric_total.c.labels, metric_total.c.total).where(
        metric_total.c.metric == metric
    )
    return {tuple(labels): total for labels, total in connection.execute(query)}
