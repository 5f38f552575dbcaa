"""A page's context to an HTTP answer; every answer carries the headers of `security`."""

from collections.abc import Iterator
from functools import lru_cache

import jinja2
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from markupsafe import Markup

from mltrace_exporter.panel import charts, formats, links, security
from mltrace_exporter.panel.assets import address_asset, read_asset
from mltrace_exporter.panel.contexts import Context

_PAUSE = Markup("<!---->")
_BROKEN = '<p class="notice bad" role="alert">The rest of this page cannot be shown: reload it.</p>'
_REMEMBERED = 500
"""How many of an icon or badge are kept; there are fewer, but for tests with words of their own."""


def render_page(context: Context, status: int = 200) -> HTMLResponse:
    """Render a context with the template named after it: ``RunContext`` with ``run.html``."""
    html = _find_template(context).render(page=context)
    return HTMLResponse(html, status, headers=security.HEADERS)


def stream_page(context: Context) -> StreamingResponse:
    """Send a page in parts, which end where its template says ``pause``.

    Browsers show a part while the context finds out what the next one holds. The answer has begun
    by then: whether there is such a page at all must be known before.
    """
    parts = _gather(_find_template(context).generate(page=context))
    return StreamingResponse(parts, headers=security.HEADERS, media_type="text/html")


def _find_template(context: Context) -> jinja2.Template:
    name = type(context).__name__.removesuffix("Context").lower()
    return _ENVIRONMENT.get_template(f"{name}.html")


def _gather(pieces: Iterator[str]) -> Iterator[str]:
    part: list[str] = []
    try:
        for piece in pieces:
            if piece == _PAUSE:
                yield "".join(part)
                part.clear()
            else:
                part.append(piece)
    except Exception:  # whatever it is, the reader is told; and the server's log, as of any page
        yield _BROKEN
        raise
    yield "".join(part)


def render_picture(context: object, file_name: str) -> Response:
    """Render ``picture.svg``: a file that brings its colours along and needs no server."""
    svg = _ENVIRONMENT.get_template("picture.svg").render(page=context, read=read_asset)
    headers = {
        **security.HEADERS,
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "Content-Disposition": f'attachment; filename="{file_name}"',
    }
    return Response(svg, 200, headers, "image/svg+xml")


def redirect(address: str) -> RedirectResponse:
    """Send the browser on to a page by GET, so that a reload does not send a form again."""
    return RedirectResponse(address, 303, headers=security.HEADERS)


def _make_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mltrace_exporter.panel"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["links"] = links
    environment.globals["asset"] = address_asset
    environment.globals["pause"] = _PAUSE
    icons = environment.get_template("icons.html").module
    for macro in ("icon", "badge", "badges"):
        # By type, too: what is equal as a text may be safe as it is, or not.
        environment.globals[macro] = lru_cache(_REMEMBERED, typed=True)(getattr(icons, macro))
    for word in (
        formats.ago,
        formats.commit,
        formats.count,
        formats.duration,
        formats.exact,
        formats.lag,
        formats.number,
        formats.percent,
        formats.plain,
        formats.shorten,
        formats.size,
        formats.visible,
        charts.write_number,
    ):
        environment.filters[word.__name__] = word
    return environment


_ENVIRONMENT = _make_environment()
