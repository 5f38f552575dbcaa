"""What the tests of all components found last."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.attention import read_attention
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries.components import list_components
from mltrace_exporter.queries.outcomes import TestRecord, list_tests_of

COMPONENTS = 40
"""Components whose tests a page lists."""

FAILING = 40
"""Components with failing tests that are listed before."""

TRIALS = 20

router = APIRouter()


@dataclass(frozen=True, slots=True)
class TestsContext:
    """Tests of components by name, and before them those that fail.

    Attributes:
        frame: what stands around.
        failing: tests that failed when they last ran; none on any page but the first.
        failing_count: how many there are.
        others_fail: whether there are more, which are not known by name.
        tests: of as many components as a page lists.
        next_after: the name that the next page begins after; None on the last page.
        is_first_page: whether no component comes before.
    """

    frame: Frame
    failing: list[TestRecord]
    failing_count: int
    others_fail: bool
    tests: list[TestRecord]
    next_after: str | None
    is_first_page: bool


@router.get(links.TESTS)
def show_tests(visit: Visiting, after: Name | None = None) -> HTMLResponse:
    """Show what came of the tests of all components when they last ran."""
    known = list_components(visit.connection, after=after, limit=COMPONENTS + 1)
    names = [component.name for component in known]
    attention = read_attention(visit.request)
    failing = [] if after else attention.failing
    suspects = dict.fromkeys(component for component, _, _ in failing)
    first = list_tests_of(visit.connection, list(suspects)[:FAILING], trials=TRIALS)
    context = TestsContext(
        frame=visit.frame("Tests", Section.TESTS),
        failing=[test for test in first if test.is_failing],
        failing_count=len(failing),
        others_fail=attention.others_fail and after is None,
        tests=list_tests_of(visit.connection, names[:COMPONENTS], trials=TRIALS),
        next_after=names[COMPONENTS - 1] if len(names) > COMPONENTS else None,
        is_first_page=after is None,
    )
    return render_page(context)
