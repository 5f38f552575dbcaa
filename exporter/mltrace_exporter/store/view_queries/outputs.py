"""What runs wrote, and what was in it."""

from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import is_direction
from mltrace_exporter.store.schema import component_run, io_pointer, metric_value, profile, run_io

_FIGURES = (
    *("null_ratio", "minimum", "maximum", "mean", "stddev"),
    *("p5", "p25", "p50", "p75", "p95"),
)
_Rows = sa.Select[tuple[object, ...]]


def select_outputs() -> _Rows:
    """Return the query of ``outputs``."""
    run = component_run
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        io_pointer.c.name.label("output"),
        run_io.c.type,
    ).select_from(
        run.join(
            run_io, sa.and_(run_io.c.run_id == run.c.id, is_direction(run_io, "output"))
        ).outerjoin(io_pointer, io_pointer.c.id == run_io.c.pointer_id)
    )


def select_profiles() -> _Rows:
    """Return the query of ``output_profiles``."""
    run = component_run
    columns: list[sa.ColumnClause[Any]] = [
        *(sa.column(name, sa.Text) for name in ("name", "kind")),
        *(sa.column(name, sa.BigInteger) for name in ("nulls", "distinct")),
        *(sa.column(name, sa.Double) for name in _FIGURES),
    ]
    figure = sa.func.jsonb_to_recordset(profile.c.figures).table_valued(*columns)
    figure = figure.render_derived("figure", with_types=True)
    return (
        sa.select(
            run.c.id.label("run_id"),
            run.c.component,
            run.c.started_at,
            profile.c.variable,
            profile.c.pointer.label("output"),
            figure.c.name.label("column_name"),
            figure.c.kind,
            profile.c.rows,
            profile.c.looked_at,
            figure.c.nulls,
            figure.c.null_ratio,
            figure.c.minimum.label("min"),
            figure.c.maximum.label("max"),
            *(figure.c[name] for name in _FIGURES[3:]),
            figure.c.distinct.label("distinct_estimate"),
        )
        .select_from(run.join(profile, profile.c.run_id == run.c.id).join(figure, sa.true()))
        .where(profile.c.direction == "output")
    )


def select_metrics() -> _Rows:
    """Return the query of ``run_metrics``."""
    run = component_run
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        metric_value.c.name.label("metric"),
        metric_value.c.value,
        metric_value.c.is_output,
    ).join_from(run, metric_value, metric_value.c.run_id == run.c.id)
