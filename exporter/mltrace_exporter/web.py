"""What API and panel share: a database connection for each request, and the check of its host."""

import ipaddress
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import Depends, HTTPException, Request

from mltrace_exporter.store.database import open_snapshot


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
    engine: sa.Engine = request.app.state.engine
    with engine.begin() as connection:
        yield connection


Reading = Annotated[sa.Connection, Depends(_read, scope="function")]
"""A connection on which a route reads."""

Writing = Annotated[sa.Connection, Depends(_write, scope="function")]
"""A connection on which a route writes; committed before the answer is sent."""
