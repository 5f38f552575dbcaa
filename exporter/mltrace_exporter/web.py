"""What API and panel share: a database connection for each request, checks of host and size."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mltrace_exporter.errors import Forbidden
from mltrace_exporter.store.database import open_snapshot

# Ten thousand names of outputs, each of two thousand bytes, are the most that anybody may send.
_BODY_LIMIT_BYTES = 20_000_000


class BodyLimit:
    """ASGI middleware that refuses bodies before they fill the memory.

    Starlette's own refuses in plain text, where all other errors have one shape.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of ASGI."""
        size_bytes = 0

        async def measure() -> Message:
            nonlocal size_bytes
            message = await receive()
            size_bytes += len(message.get("body", b""))
            if size_bytes > _BODY_LIMIT_BYTES:
                raise HTTPException(413, f"A request may hold {_BODY_LIMIT_BYTES:,} bytes here.")
            return message

        await self._app(scope, measure, send)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """That a server only reads.

    Attributes:
        writer_url: where people reach one that writes, if that was said.
    """

    writer_url: str | None = None

    @property
    def refusal(self) -> str:
        """What is answered to who wants to change something."""
        there = self.writer_url or "one that was started without --read-only"
        return f"This exporter only reads. Ask {there} instead."


async def check_host(request: Request) -> None:
    """Refuse requests under names that are not ours, which DNS rebinding sends.

    Source: https://owasp.org/www-community/attacks/DNS_Rebinding; `Settings.trusted_hosts`.

    Raises:
        HTTPException: 400, with what to do.
    """
    allowed = request.app.state.allowed_hosts
    host = _read_host(request.headers.get("host", ""))
    if not _is_address(host) and not any(fnmatchcase(host, name) for name in allowed):
        raise HTTPException(
            400, f"{host[:100]!r} is no name of this server: start it with --allowed-hosts NAME."
        )


def _read_host(header: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read(request: Request) -> Iterator[sa.Connection]:
    with open_snapshot(request.app.state.engine) as connection:
        yield connection


def _write(request: Request) -> Iterator[sa.Connection]:
    read_only: ReadOnly | None = getattr(request.app.state, "read_only", None)
    if read_only is not None:
        raise Forbidden(read_only.refusal)
    engine: sa.Engine = request.app.state.engine
    with engine.begin() as connection:
        yield connection


open_reading = contextmanager(_read)
"""What `Reading` is, for a route that knows only while it answers what it needs."""

open_writing = contextmanager(_write)
"""And what `Writing` is."""

Reading = Annotated[sa.Connection, Depends(_read, scope="function")]
"""A connection on which a route reads."""

Writing = Annotated[sa.Connection, Depends(_write, scope="function")]
"""A connection on which a route writes; committed before the answer is sent."""
