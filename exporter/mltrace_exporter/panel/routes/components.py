"""Components, their histories and their tags."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.strip import Strip, draw_strip
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import components, runs
from mltrace_exporter.queries.outcomes import list_tests
from mltrace_otel.contract.api import CaseHistory, Component, RunPage, RunStatus, Tag

PAGE_SIZE = 25
HISTORY_SIZE = 40
LONGEST_HISTORY = 200
TRIALS = 20
LIST_SIZE = 50
TAGS_SIZE = 100
TAGGED_SIZE = 25

Limit = Annotated[int, Query(ge=1, le=LONGEST_HISTORY)]

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ComponentsContext:
    """Components by name, and tags.

    Attributes:
        frame: what stands around.
        components: as many as a page holds.
        tags: none on any page but the first.
        next_after: the name that the next page begins after; None on the last page.
        is_first_page: whether no component comes before.
    """

    frame: Frame
    components: list[Component]
    tags: list[Tag]
    next_after: str | None
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class ComponentContext:
    """One component with its history.

    Attributes:
        frame: what stands around.
        component: the component.
        runs: some of its runs, newest first.
        strip: the same, drawn.
        status: which runs were asked for.
        limit: how many; None for as many as a page usually holds.
        tests: what its tests found; none on any page but the first.
        is_first_page: whether there are no newer runs.
    """

    frame: Frame
    component: Component
    runs: RunPage
    strip: Strip
    status: RunStatus | None
    limit: int | None
    tests: list[CaseHistory]
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class TagContext:
    """The components that carry a tag by name, and their newest runs.

    Attributes:
        frame: what stands around.
        tag: its name.
        components: as many as a page holds.
        next_after: the name that the next page begins after; None on the last page.
        runs: None on any page but the first.
    """

    frame: Frame
    tag: str
    components: list[Component]
    next_after: str | None
    runs: RunPage | None


@router.get(links.COMPONENTS)
def show_components(visit: Visiting, after: Name | None = None) -> HTMLResponse:
    """Show components by name, from the one after ``after``, and on the first page the tags."""
    known = components.list_components(visit.connection, after=after, limit=LIST_SIZE + 1)
    tags = [] if after else components.list_tags(visit.connection, limit=TAGS_SIZE)
    frame = visit.frame("Components", Section.COMPONENTS)
    more = known[LIST_SIZE - 1].name if len(known) > LIST_SIZE else None
    return render_page(ComponentsContext(frame, known[:LIST_SIZE], tags, more, after is None))


@router.get(links.COMPONENT)
def show_component(
    visit: Visiting,
    name: Name,
    before: str | None = None,
    limit: Limit | None = None,
    status: RunStatus | None = None,
) -> HTMLResponse:
    """Show a component and its history."""
    component = components.get_component(visit.connection, name)
    selection = runs.Selection(component=name, status=status)
    history = runs.list_runs(
        visit.connection, selection, limit=limit or HISTORY_SIZE, before=before
    )
    is_first = before is None
    context = ComponentContext(
        frame=visit.frame(name, Section.COMPONENTS),
        component=component,
        runs=history,
        strip=draw_strip(history.items),
        status=status,
        limit=limit,
        tests=list_tests(visit.connection, name, limit=TRIALS) if is_first else [],
        is_first_page=is_first,
    )
    return render_page(context)


@router.get(links.TAG)
def show_tag(visit: Visiting, name: Name, after: Name | None = None) -> HTMLResponse:
    """Show the components that carry a tag, and on the first page their newest runs."""
    tagged = components.list_tagged(visit.connection, name, after=after, limit=TAGGED_SIZE + 1)
    newest = (
        None
        if after
        else runs.list_runs(visit.connection, runs.Selection(tag=name), limit=PAGE_SIZE)
    )
    frame = visit.frame(f"Tag {name}", Section.COMPONENTS)
    more = tagged[TAGGED_SIZE - 1].name if len(tagged) > TAGGED_SIZE else None
    return render_page(TagContext(frame, name, tagged[:TAGGED_SIZE], more, newest))
