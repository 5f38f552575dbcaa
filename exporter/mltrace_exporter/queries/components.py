"""Components and tags."""

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.store.components import (
    LIMIT,
    exists_component,
    exists_tag,
    read_components,
    read_tags,
)
from mltrace_otel.contract.api import Component, Tag


def list_components(
    connection: sa.Connection,
    *,
    tag: str | None = None,
    owner: str | None = None,
    after: str | None = None,
    limit: int = LIMIT,
) -> list[Component]:
    """Return components by name.

    Args:
        connection: to the database.
        tag: only those with this tag.
        owner: only those of this owner.
        after: only those whose names come after this one.
        limit: how many, at most.
    """
    rows = read_components(connection, tag=tag, owner=owner, after=after, limit=limit)
    return [Component(**row._asdict()) for row in rows]


def get_component(connection: sa.Connection, name: str) -> Component:
    """Return one component.

    Raises:
        NotFound: no run and nobody ever named it.
    """
    rows = read_components(connection, name=name)
    if not rows:
        raise _unknown_component(name)
    return Component(**rows[0]._asdict())


def require_component(connection: sa.Connection, name: str) -> None:
    """Do nothing if the component is known.

    Raises:
        NotFound: it is not.
    """
    if not exists_component(connection, name):
        raise _unknown_component(name)


def require_tag(connection: sa.Connection, tag: str) -> None:
    """Do nothing if a component carries the tag.

    Raises:
        NotFound: none does.
    """
    if not exists_tag(connection, tag):
        raise NotFound(f"No component has the tag {tag!r}. `mltrace tags` lists the tags.")


def list_tags(
    connection: sa.Connection, *, after: str | None = None, limit: int = LIMIT
) -> list[Tag]:
    """Return tags by name, those that come after ``after``, at most ``limit``."""
    return [Tag(**row._asdict()) for row in read_tags(connection, after=after, limit=limit)]


def list_tagged(
    connection: sa.Connection, tag: str, *, after: str | None = None, limit: int = LIMIT
) -> list[Component]:
    """Return the components with the tag by name, those after ``after``, at most ``limit``.

    Raises:
        NotFound: no component carries it.
    """
    require_tag(connection, tag)
    return list_components(connection, tag=tag, after=after, limit=limit)


def _unknown_component(name: str) -> NotFound:
    return NotFound(f"There is no component {name!r}. `mltrace components` lists them.")
