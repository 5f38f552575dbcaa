"""The newest runs of all components, and what asks for attention: where people come in."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.attention import Attention, read_attention
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries import runs
from mltrace_otel.contract.api import RunPage, RunStatus

PAGE_SIZE = 25

router = APIRouter()


@dataclass(frozen=True, slots=True)
class RecentContext:
    """The newest runs of a status or of all, or those before a cursor.

    Attributes:
        frame: what stands around.
        runs: the runs.
        status: which ones were asked for.
        attention: what asks for it; None on any page but the first.
    """

    frame: Frame
    runs: RunPage
    status: RunStatus | None
    attention: Attention | None


@router.get(links.RECENT)
def show_recent(
    visit: Visiting, before: str | None = None, status: RunStatus | None = None
) -> HTMLResponse:
    """Show the newest runs of all components."""
    selection = runs.Selection(status=status)
    page = runs.list_runs(visit.connection, selection, limit=PAGE_SIZE, before=before)
    attention = read_attention(visit.request) if before is None else None
    frame = visit.frame("Recent runs", Section.RECENT)
    return render_page(RecentContext(frame, page, status, attention))
