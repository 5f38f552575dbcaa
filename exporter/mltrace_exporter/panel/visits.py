"""A browser's visit: the request for one page, and the frame that answers it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import RedirectResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section, Theme
from mltrace_exporter.panel.rendering import redirect
from mltrace_exporter.queries.flags import count_flags
from mltrace_exporter.store.replication import read_lag_s
from mltrace_exporter.web import Reading, ReadOnly

THEME_COOKIE = "mltrace-theme"

# PostgreSQL stores no NUL, so that nothing is found by a name that holds one.
STORABLE = "^[^\0]*$"
Name = Annotated[str, Query(pattern=STORABLE)]
"""A name that somebody chose, in a query."""
Words = Annotated[str, Form(max_length=2000, pattern=STORABLE)]
"""A few words in a form."""
Back = Annotated[str, Form(max_length=16_000)]
"""The address of the page that a form stands on."""


class Visit:
    """The request for a page.

    Attributes:
        request: as it came.
        connection: on which the page is read.
    """

    def __init__(self, request: Request, connection: Reading) -> None:
        self.request = request
        self.connection = connection

    def frame(self, title: str, section: Section | None = None) -> Frame:
        """Return what stands around the page of this name."""
        frame = make_frame(self.request, title, section, count_flags(self.connection))
        return replace(frame, lag_s=read_lag_s(self.connection)) if frame.is_read_only else frame


Visiting = Annotated[Visit, Depends(Visit)]
"""The visit that a route answers."""


def make_frame(
    request: Request,
    title: str,
    section: Section | None = None,
    open_flags: int | None = None,
) -> Frame:
    """Return the frame of a page; see `Frame`."""
    read_only: ReadOnly | None = request.app.state.read_only
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Frame(
        title=title,
        now=datetime.now(UTC),
        here=here if request.method == "GET" else links.RECENT,
        section=section,
        theme=_read_theme(request),
        open_flags=open_flags,
        is_read_only=read_only is not None,
        writer_url=read_only.writer_url if read_only else None,
    )


def go_back(address: str) -> RedirectResponse:
    """Send the browser back to the page that a form stood on."""
    return redirect(address if links.is_local(address) else links.REVIEW)


def _read_theme(request: Request) -> Theme | None:
    chosen = request.cookies.get(THEME_COOKIE)
    return Theme(chosen) if chosen in set(Theme) else None
