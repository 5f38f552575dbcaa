"""Profiles and metrics as they are stored: of single runs, and of a component's newest."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.schema import component_run, metric_value, profile

Row = sa.Row[*tuple[Any, ...]]

_PROFILE_COLUMNS = (
    *(profile.c.run_id, component_run.c.started_at, profile.c.direction, profile.c.variable),
    *(profile.c.pointer, profile.c.rows, profile.c.looked_at, profile.c.columns_left_out),
)
_POINT_LIMIT = 20_000
_RUN_LIMIT = 10_000
"""So many runs are looked through: those of a component may be millions, none of which told."""

_AS_TEXT = sa.cast(profile.c.columns, sa.Text).label("columns")


def read_profiles(connection: sa.Connection, run_ids: Collection[int]) -> Sequence[Row]:
    """Return the profiles of runs, outputs first: of each, ``columns`` as JSON text."""
    return connection.execute(_select_profiles(run_ids, _AS_TEXT)).all()


def read_figures(connection: sa.Connection, run_ids: Collection[int]) -> Sequence[Row]:
    """Return the profiles of runs, outputs first: of each, ``figures`` as JSON values."""
    return connection.execute(_select_profiles(run_ids, profile.c.figures)).all()


def _select_profiles(
    run_ids: Collection[int], told: sa.ColumnElement[Any]
) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(*_PROFILE_COLUMNS, told)
        .join_from(profile, component_run, component_run.c.id == profile.c.run_id)
        .where(profile.c.run_id.in_(run_ids))
        .order_by(profile.c.run_id, profile.c.direction.desc(), profile.c.variable)
    )


def read_newest_profiles(
    connection: sa.Connection,
    component: str,
    *,
    variable: str | None,
    direction: str | None,
    limit: int,
) -> Sequence[Row]:
    """Return the newest profiles of a component's newest runs, newest run first.

    Args:
        connection: to the database.
        component: its name.
        variable: only those of this variable.
        direction: only those of this direction.
        limit: how many profiles, at most.
    """
    run = component_run
    newest = _select_newest(component, _RUN_LIMIT).subquery("newest")
    query = (
        sa.select(*_PROFILE_COLUMNS, _AS_TEXT)
        .select_from(
            newest.join(run, run.c.id == newest.c.id).join(profile, profile.c.run_id == newest.c.id)
        )
        .order_by(
            run.c.started_at.desc(), run.c.id.desc(), profile.c.direction.desc(), profile.c.variable
        )
        .limit(limit)
    )
    if variable is not None:
        query = query.where(profile.c.variable == variable)
    if direction is not None:
        query = query.where(profile.c.direction == direction)
    return connection.execute(query).all()


def _select_newest(component: str, limit: int) -> sa.Select[int, datetime]:
    run = component_run
    return (
        sa.select(run.c.id, run.c.started_at)
        .where(run.c.component == component)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(limit)
    )


def read_metrics(connection: sa.Connection, run_ids: Collection[int]) -> Sequence[Row]:
    """Return the metrics of runs by name: run_id, name, is_output, value."""
    query = (
        sa.select(metric_value)
        .where(metric_value.c.run_id.in_(run_ids))
        .order_by(metric_value.c.run_id, metric_value.c.is_output, metric_value.c.name)
    )
    return connection.execute(query).all()


def read_newest_metrics(
    connection: sa.Connection, component: str, *, name: str | None, limit: int
) -> Sequence[Row]:
    """Return the metrics of a component's newest runs, newest first.

    Args:
        connection: to the database.
        component: its name.
        name: only the metric of this name.
        limit: how many runs to look at; with a name, how many of those that have it.
    """
    newest_runs = _select_newest(component, limit if name is None else _RUN_LIMIT)
    if name is not None:
        near = newest_runs.subquery("near")
        has_it = (metric_value.c.run_id == near.c.id) & (metric_value.c.name == name)
        newest_runs = (
            sa.select(near.c.id, near.c.started_at)
            .where(sa.exists().where(has_it))
            .order_by(near.c.started_at.desc(), near.c.id.desc())
            .limit(limit)
        )
    newest = newest_runs.subquery("newest")
    query = (
        sa.select(
            metric_value.c.name,
            metric_value.c.is_output,
            newest.c.id.label("run_id"),
            newest.c.started_at,
            metric_value.c.value,
        )
        .select_from(newest.join(metric_value, metric_value.c.run_id == newest.c.id))
        .order_by(
            newest.c.started_at.desc(),
            newest.c.id.desc(),
            metric_value.c.is_output,
            metric_value.c.name,
        )
        .limit(_POINT_LIMIT)
    )
    if name is not None:
        query = query.where(metric_value.c.name == name)
    return connection.execute(query).all()
