"""Components and their tags as they are stored."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.schema import component, component_run

LIMIT = 10_000


def read_components(
    connection: sa.Connection, *, name: str | None = None, tag: str | None = None
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return components by name: one, those with a tag, or all, with how often they ran."""
    activity = (
        sa.select(
            sa.func.count().label("run_count"),
            sa.func.max(component_run.c.started_at).label("last_run_at"),
        )
        .where(component_run.c.component == component.c.name)
        .lateral("activity")
    )
    columns = (component.c.name, component.c.owner, component.c.description, component.c.tags)
    query = (
        sa.select(*columns, activity.c.run_count, activity.c.last_run_at)
        .select_from(component.join(activity, sa.true()))
        .order_by(component.c.name)
        .limit(LIMIT)
    )
    if name is not None:
        query = query.where(component.c.name == name)
    if tag is not None:
        query = query.where(component.c.tags.contains([tag]))
    return connection.execute(query).all()


def read_tags(connection: sa.Connection) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return every tag by name, with the number of components that carry it."""
    tag = sa.func.unnest(component.c.tags).table_valued("name").render_derived(name="tag")
    query = (
        sa.select(tag.c.name, sa.func.count().label("component_count"))
        .select_from(component.join(tag, sa.true()))
        .group_by(tag.c.name)
        .order_by(tag.c.name)
        .limit(LIMIT)
    )
    return connection.execute(query).all()
