"""What the tests of all components found last."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries.outcomes import TestRecord, list_all_tests

SHOWN = 300
TRIALS = 20

router = APIRouter()


@dataclass(frozen=True, slots=True)
class TestsContext:
    """Tests, those first that fail; ``is_cut`` if there are more."""

    frame: Frame
    tests: list[TestRecord]
    is_cut: bool


@router.get(links.TESTS)
def show_tests(visit: Visiting) -> HTMLResponse:
    """Show what came of the tests of all components when they last ran."""
    found = list_all_tests(visit.connection, trials=TRIALS, limit=SHOWN + 1)
    frame = visit.frame("Tests", Section.TESTS)
    return render_page(TestsContext(frame, found[:SHOWN], len(found) > SHOWN))
