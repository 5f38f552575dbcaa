"""Routes about components and their tags. Names may hold slashes."""

from fastapi import APIRouter

from mltrace_exporter.api.parameters import Text
from mltrace_exporter.queries import components
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import Component, Tag

router = APIRouter(tags=["components"])


@router.get("/components")
def list_components(connection: Reading) -> list[Component]:
    """List all components by name."""
    return components.list_components(connection)


@router.get("/components/{name:path}")
def get_component(connection: Reading, name: Text) -> Component:
    """Answer with one component."""
    return components.get_component(connection, name)


@router.get("/tags")
def list_tags(connection: Reading) -> list[Tag]:
    """List all tags by name."""
    return components.list_tags(connection)


@router.get("/tags/{tag:path}")
def list_tagged(connection: Reading, tag: Text) -> list[Component]:
    """List the components that carry a tag."""
    return components.list_tagged(connection, tag)
