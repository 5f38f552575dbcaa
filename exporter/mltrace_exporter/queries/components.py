"""Components and tags."""

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.store.components import read_components, read_tags
from mltrace_otel.contract.api import Component, Tag


def list_components(connection: sa.Connection) -> list[Component]:
    """Return all components by name, at most 10,000."""
    return [Component(**row._asdict()) for row in read_components(connection)]


def get_component(connection: sa.Connection, name: str) -> Component:
    """Return one component.

    Raises:
        NotFound: no run of it was ever recorded.
    """
    rows = read_components(connection, name=name)
    if not rows:
        raise NotFound(f"There is no component {name!r}. `mltrace components` lists them.")
    return Component(**rows[0]._asdict())


def list_tags(connection: sa.Connection) -> list[Tag]:
    """Return all tags by name."""
    return [Tag(**row._asdict()) for row in read_tags(connection)]


def list_tagged(connection: sa.Connection, tag: str) -> list[Component]:
    """Return the components with the tag.

    Raises:
        NotFound: no component carries it.
    """
    rows = read_components(connection, tag=tag)
    if not rows:
        raise NotFound(f"No component has the tag {tag!r}. `mltrace tags` lists the tags.")
    return [Component(**row._asdict()) for row in rows]
