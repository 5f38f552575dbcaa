"""One run."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.highlight import highlight_code
from mltrace_exporter.panel.rendering import redirect, render_page
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import runs
from mltrace_otel.contract.api import Run

router = APIRouter()


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run; ``code`` is its highlighted snapshot."""

    frame: Frame
    run: Run
    code: Markup | None


@router.get(links.RUN)
def show_run(visit: Visiting, ref: str) -> HTMLResponse:
    """Show one run with everything known about it."""
    run = runs.get_run(visit.connection, ref)
    frame = visit.frame(f"{run.summary.component} {run.summary.id}")
    code = highlight_code(run.code, run.code_file, run.code_line) if run.code else None
    return render_page(RunContext(frame, run, code))


@router.get(links.ANY_RUN)
def find_run(visit: Visiting, ref: Name) -> RedirectResponse:
    """Lead to a run by its id or the beginning of its span id."""
    return redirect(links.to_run(runs.get_run(visit.connection, ref).summary.id))
