"""The page of an error."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel.contexts import ErrorContext
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import make_frame


def render_error(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """Render the page of an error, for browsers that asked for ``request``."""
    return render_page(ErrorContext(make_frame(request, title), status, title, detail), status)
