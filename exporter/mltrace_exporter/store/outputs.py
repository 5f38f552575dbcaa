"""What monitoring asks of outputs: what they held lately, and in all runs."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.schema import (
    component,
    component_run,
    metric_value,
    output_total,
    profile,
)

LOOKED_THROUGH = 20
"""An output that none of the component's newest runs gave is one that it no longer has."""
VALUES_READ = 100
"""Of single numbers, those of so many runs are looked at together."""

Rows = Sequence[sa.Row[*tuple[Any, ...]]]


def read_newest(connection: sa.Connection) -> Rows:
    """Return each output when it was last profiled, among its component's newest runs.

    Columns: ``component``, ``run_id``, ``variable``, ``rows``, ``figures``.
    """
    recent = _find_recent(LOOKED_THROUGH)
    keys = (component.c.name, profile.c.variable)
    query = (
        sa.select(
            component.c.name.label("component"),
            *(profile.c.run_id, profile.c.variable, profile.c.rows, profile.c.figures),
        )
        .select_from(
            component.join(recent, sa.true()).join(profile, profile.c.run_id == recent.c.id)
        )
        .where(profile.c.direction == sa.literal_column("'output'"))
        .ext(pg.distinct_on(*keys))
        .order_by(*keys, recent.c.started_at.desc(), recent.c.id.desc())
    )
    return connection.execute(query).all()


def read_newest_values(connection: sa.Connection) -> Rows:
    """Return the single numbers that components' newest runs gave, newest first.

    Columns: ``component``, ``name``, ``values``.
    """
    recent = _find_recent(VALUES_READ)
    given = sa.select(output_total.c.component).where(output_total.c.column_name == "")
    newest_first = (recent.c.started_at.desc(), recent.c.id.desc())
    query = (
        sa.select(
            component.c.name.label("component"),
            metric_value.c.name,
            sa.func.array_agg(pg.aggregate_order_by(metric_value.c.value, *newest_first)).label(
                "values"
            ),
        )
        .select_from(
            component.join(recent, sa.true()).join(
                metric_value, metric_value.c.run_id == recent.c.id
            )
        )
        .where(metric_value.c.is_output, component.c.name.in_(given))
        .group_by(component.c.name, metric_value.c.name)
        .order_by(component.c.name, metric_value.c.name)
    )
    return connection.execute(query).all()


def read_totals(connection: sa.Connection, limit: int) -> Rows:
    """Return the distributions of outputs over all runs: at most so many, by name.

    Columns: ``component``, ``output``, ``column_name``, ``bounds``, ``counts``.
    """
    names = (output_total.c.component, output_total.c.output, output_total.c.column_name)
    query = sa.select(*names, output_total.c.bounds, output_total.c.counts)
    return connection.execute(query.order_by(*names).limit(limit)).all()


def count_totals(connection: sa.Connection) -> int:
    """Return how many distributions there are."""
    return connection.scalar(sa.select(sa.func.count()).select_from(output_total)) or 0


def _find_recent(limit: int) -> sa.FromClause:
    run = component_run.alias("run")
    return (
        sa.select(run.c.id, run.c.started_at)
        .where(run.c.component == component.c.name)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(limit)
        .correlate(component)
        .lateral("recent")
    )
