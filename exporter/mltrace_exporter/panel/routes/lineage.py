"""What led to an output, and what it led to."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.tree import Branch, grow_tree
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import lineage
from mltrace_otel.contract.api import Trace

router = APIRouter()


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace of an output; None before an output was asked for."""

    frame: Frame
    trace: Trace | None
    tree: Branch | None


@router.get(links.TRACE)
def show_trace(visit: Visiting, output: Name = "") -> HTMLResponse:
    """Show every run behind an output; without an output, ask for one."""
    trace = lineage.trace_output(visit.connection, output) if output else None
    frame = visit.frame(f"Trace of {output}" if output else "Trace", Section.LINEAGE)
    return render_page(TraceContext(frame, trace, grow_tree(trace) if trace else None))
