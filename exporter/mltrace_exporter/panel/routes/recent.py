"""The newest runs of all components: where people come in."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries import runs
from mltrace_otel.contract.api import RunPage

PAGE_SIZE = 25

router = APIRouter()


@dataclass(frozen=True, slots=True)
class RecentContext:
    """The newest runs, or those before a cursor."""

    frame: Frame
    runs: RunPage
    is_first_page: bool


@router.get(links.RECENT)
def show_recent(visit: Visiting, before: str | None = None) -> HTMLResponse:
    """Show the newest runs of all components."""
    page = runs.list_runs(visit.connection, limit=PAGE_SIZE, before=before)
    frame = visit.frame("Recent runs", Section.RECENT)
    return render_page(RecentContext(frame, page, is_first_page=before is None))
