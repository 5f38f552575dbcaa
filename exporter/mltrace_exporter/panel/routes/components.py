"""Components, their histories and their tags."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import components, runs
from mltrace_otel.contract.api import Component, RunPage, Tag

PAGE_SIZE = 25

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ComponentsContext:
    """All components and tags."""

    frame: Frame
    components: list[Component]
    tags: list[Tag]


@dataclass(frozen=True, slots=True)
class ComponentContext:
    """One component with its history."""

    frame: Frame
    component: Component
    runs: RunPage
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class TagContext:
    """The components that carry a tag, and their newest runs."""

    frame: Frame
    tag: str
    components: list[Component]
    runs: RunPage


@router.get(links.COMPONENTS)
def show_components(visit: Visiting) -> HTMLResponse:
    """Show all components and tags."""
    known = components.list_components(visit.connection)
    tags = components.list_tags(visit.connection)
    frame = visit.frame("Components", Section.COMPONENTS)
    return render_page(ComponentsContext(frame, known, tags))


@router.get(links.COMPONENT)
def show_component(visit: Visiting, name: Name, before: str | None = None) -> HTMLResponse:
    """Show a component and its history."""
    component = components.get_component(visit.connection, name)
    history = runs.list_runs(
        visit.connection, runs.Selection(component=name), limit=PAGE_SIZE, before=before
    )
    frame = visit.frame(name, Section.COMPONENTS)
    first = before is None
    return render_page(ComponentContext(frame, component, history, is_first_page=first))


@router.get(links.TAG)
def show_tag(visit: Visiting, name: Name) -> HTMLResponse:
    """Show the components that carry a tag, and their newest runs."""
    tagged = components.list_tagged(visit.connection, name)
    newest = runs.list_runs(visit.connection, runs.Selection(tag=name), limit=PAGE_SIZE)
    frame = visit.frame(f"Tag {name}", Section.COMPONENTS)
    return render_page(TagContext(frame, name, tagged, newest))
