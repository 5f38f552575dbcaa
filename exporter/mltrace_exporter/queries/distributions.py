"""What runs' inputs and outputs held, and the numbers that runs logged or gave."""

import math

import msgspec
import sqlalchemy as sa

from mltrace_exporter.queries.components import require_component
from mltrace_exporter.store import distributions as stored
from mltrace_exporter.store.refs import resolve_run
from mltrace_otel.contract.api import (
    Metric,
    MetricHistory,
    MetricPoint,
    ProfileSummary,
    RunProfile,
)
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.summaries import Summary, summarise


def list_run_profiles(connection: sa.Connection, ref: str) -> list[RunProfile]:
    """Return the distributions of a run's variables, outputs first.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    run_id = resolve_run(connection, ref)
    return [_shape_profile(row) for row in stored.read_profiles(connection, [run_id])]


def list_profiles(
    connection: sa.Connection,
    component: str,
    *,
    variable: str | None = None,
    direction: str | None = None,
    limit: int = 20,
) -> list[RunProfile]:
    """Return the newest distributions of a component's variables, newest run first.

    Args:
        connection: to the database.
        component: its name.
        variable: only those of this variable.
        direction: only those of ``input`` or ``output``.
        limit: how many, at most.

    Raises:
        NotFound: there is no such component.
    """
    require_component(connection, component)
    rows = stored.read_newest_profiles(
        connection, component, variable=variable, direction=direction, limit=limit
    )
    return [_shape_profile(row) for row in rows]


def list_metrics(
    connection: sa.Connection, component: str, *, name: str | None = None, limit: int = 20
) -> list[MetricHistory]:
    """Return each metric of a component's newest runs, each newest first.

    Args:
        connection: to the database.
        component: its name.
        name: only the metric of this name.
        limit: how many runs to look at; with a name, how many of those that have it.

    Raises:
        NotFound: there is no such component.
    """
    require_component(connection, component)
    found: dict[tuple[str, bool], list[MetricPoint]] = {}
    for row in stored.read_newest_metrics(connection, component, name=name, limit=limit):
        point = MetricPoint(row.run_id, row.started_at, _fit(row.value))
        found.setdefault((row.name, row.is_output), []).append(point)
    return [MetricHistory(*metric, points) for metric, points in found.items()]


def summarise_profiles(connection: sa.Connection, run_id: int) -> list[ProfileSummary]:
    """Return the figures of a run's variables, outputs first."""
    return [
        ProfileSummary(
            row.direction,
            row.variable,
            row.pointer,
            row.rows,
            row.looked_at,
            msgspec.convert(row.figures, list[Summary]),
            row.columns_left_out,
        )
        for row in stored.read_figures(connection, [run_id])
    ]


def read_metrics(connection: sa.Connection, run_id: int) -> list[Metric]:
    """Return the metrics of a run, by name, those that were logged first."""
    return [
        Metric(row.name, _fit(row.value), row.is_output)
        for row in stored.read_metrics(connection, [run_id])
    ]


def _shape_profile(row: stored.Row) -> RunProfile:
    columns = decode_columns(row.columns)
    return RunProfile(
        run_id=row.run_id,
        started_at=row.started_at,
        direction=row.direction,
        variable=row.variable,
        pointer=row.pointer,
        profile=Profile(row.rows, row.looked_at, columns, row.columns_left_out),
        summaries=[summarise(column) for column in columns],
    )


def _fit(value: float) -> float | None:
    return value if math.isfinite(value) else None  # JSON has no other numbers
