"""Components and their tags as they are stored, and what people say about them.

Owner and description are the newest words: a run speaks when it begins, a person when they do.
Tags are united: those of the newest run's words, and those that people gave.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.schema import component, component_run

LIMIT = 10_000
Row = sa.Row[*tuple[Any, ...]]
Texts = sa.ColumnElement[Sequence[str]]


def exists_component(connection: sa.Connection, name: str) -> bool:
    """Return whether a component of this name is known."""
    return connection.scalar(sa.select(sa.exists().where(component.c.name == name))) or False


def exists_tag(connection: sa.Connection, tag: str) -> bool:
    """Return whether any component carries the tag."""
    return (
        connection.scalar(sa.select(sa.exists().where(component.c.tags.contains([tag])))) or False
    )


def read_components(  # noqa: PLR0913 - each is a filter
    connection: sa.Connection,
    *,
    name: str | None = None,
    tag: str | None = None,
    owner: str | None = None,
    words: str | None = None,
    after: str | None = None,
    limit: int = LIMIT,
) -> Sequence[Row]:
    """Return components by name, with how often they ran.

    Args:
        connection: to the database.
        name: only this one.
        tag: only those with this tag.
        owner: only those of this owner.
        words: only those whose name or description contains each of these words.
        after: only those whose names come after this one.
        limit: how many, at most.
    """
    columns = (component.c.name, component.c.owner, component.c.description, component.c.tags)
    chosen = sa.select(*columns).order_by(component.c.name).limit(limit)
    if name is not None:
        chosen = chosen.where(component.c.name == name)
    if tag is not None:
        chosen = chosen.where(component.c.tags.contains([tag]))
    if owner is not None:
        chosen = chosen.where(component.c.owner == owner)
    for word in (words or "").split():
        text = component.c.name + " " + sa.func.coalesce(component.c.description, "")
        chosen = chosen.where(text.icontains(word, autoescape=True))
    if after is not None:
        chosen = chosen.where(component.c.name > after)
    return connection.execute(_count_runs(chosen.subquery("chosen"))).all()


def _count_runs(chosen: sa.Subquery) -> sa.Select[Any]:
    activity = (
        sa.select(
            sa.func.count().label("run_count"),
            sa.func.max(component_run.c.started_at).label("last_run_at"),
        )
        .where(component_run.c.component == chosen.c.name)
        .lateral("activity")
    )
    return (
        sa.select(chosen, activity.c.run_count, activity.c.last_run_at)
        .select_from(chosen.join(activity, sa.true()))
        .order_by(chosen.c.name)
    )


def read_tags(
    connection: sa.Connection, *, after: str | None = None, limit: int = LIMIT
) -> Sequence[Row]:
    """Return tags by name, with the number of components that carry each.

    Args:
        connection: to the database.
        after: only those that come after this one.
        limit: how many, at most.
    """
    tag = sa.func.unnest(component.c.tags).table_valued("name").render_derived(name="tag")
    query = (
        sa.select(tag.c.name, sa.func.count().label("component_count"))
        .select_from(component.join(tag, sa.true()))
        .group_by(tag.c.name)
        .order_by(tag.c.name)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tag.c.name > after)
    return connection.execute(query).all()


def describe_component(
    connection: sa.Connection, name: str, *, owner: str | None, description: str | None
) -> None:
    """Make a component known, if it is not, and let these be the newest words about it.

    What is None stays as it is.
    """
    words: dict[str, object] = {
        key: value
        for key, value in (("owner", owner), ("description", description))
        if value is not None
    }
    if words:
        words |= {"described_at": sa.func.clock_timestamp(), "described_by": b""}
    insert = pg.insert(component).values(name=name, **words)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_=words)
        if words
        else insert.on_conflict_do_nothing()
    )


def set_tags(connection: sa.Connection, name: str, tags: Sequence[str]) -> None:
    """Let ``tags`` be the ones that people gave a component, instead of those before."""
    added = sa.literal(list(dict.fromkeys(tags)), pg.ARRAY(sa.Text))
    _change_tags(connection, name, added)


def add_tags(connection: sa.Connection, name: str, tags: Sequence[str]) -> None:
    """Add to the tags that people gave a component."""
    new = sa.literal(list(dict.fromkeys(tags)), pg.ARRAY(sa.Text))
    _change_tags(connection, name, unite(component.c.added_tags, new))


def _change_tags(connection: sa.Connection, name: str, added: Texts) -> None:
    connection.execute(
        sa.update(component)
        .where(component.c.name == name)
        .values(added_tags=added, tags=unite(component.c.said_tags, added))
    )


def unite(first: Texts, second: Texts) -> Texts:
    """Return the tags of both, each once."""
    tag = sa.func.unnest(second).table_valued("name").render_derived(name="other")
    new = sa.select(tag.c.name).where(tag.c.name != sa.all_(first)).order_by(tag.c.name)
    return first.concat(sa.func.array(new.scalar_subquery(), type_=pg.ARRAY(sa.Text)))
