"""A page's context to an HTTP answer; every answer carries the headers of `security`."""

from datetime import UTC, datetime

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from mltrace_exporter.panel import formats, links, security
from mltrace_exporter.panel.contexts import Context, ErrorContext, Frame


def render_page(context: Context, status: int = 200) -> HTMLResponse:
    """Render a context with the template named after it: ``RunContext`` with ``run.html``."""
    name = type(context).__name__.removesuffix("Context").lower()
    html = _ENVIRONMENT.get_template(f"{name}.html").render(page=context)
    return HTMLResponse(html, status, headers=security.HEADERS)


def render_error(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """Render the page of an error, for browsers that asked for ``request``."""
    frame = Frame(title, datetime.now(UTC), output=request.query_params.get("output", ""))
    return render_page(ErrorContext(frame, status, title, detail), status)


def redirect(address: str) -> RedirectResponse:
    """Send the browser on to a page by GET, so that a reload does not send a form again."""
    return RedirectResponse(address, 303, headers=security.HEADERS)


class SecureFiles(StaticFiles):
    """Static files with the panel's headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one request for a file."""
        response = await super().get_response(path, scope)
        response.headers.update(security.HEADERS)
        return response


def _make_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mltrace_exporter.panel"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["links"] = links
    for word in (
        formats.ago,
        formats.commit,
        formats.count,
        formats.duration,
        formats.exact,
        formats.number,
        formats.percent,
        formats.plain,
        formats.shorten,
        formats.size,
        formats.visible,
    ):
        environment.filters[word.__name__] = word
    return environment


_ENVIRONMENT = _make_environment()
