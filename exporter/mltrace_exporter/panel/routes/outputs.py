"""One input or output: who wrote it, who read it, what was found wrong with it."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries.pointers import get_pointer
from mltrace_otel.contract.api import PointerHistory

router = APIRouter()


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What is known of one name."""

    frame: Frame
    pointer: PointerHistory
    is_first_page: bool


@router.get(links.OUTPUT)
def show_output(
    visit: Visiting,
    name: Name,
    versions_before: str | None = None,
    readers_before: str | None = None,
) -> HTMLResponse:
    """Show who wrote and who read an input or output."""
    pointer = get_pointer(
        visit.connection,
        name,
        versions_before=versions_before,
        readers_before=readers_before,
    )
    first = versions_before is None and readers_before is None
    return render_page(OutputContext(visit.frame(name), pointer, is_first_page=first))
