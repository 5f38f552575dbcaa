"""The access log: each request with its answer's status and how long it took.

In: an ASGI app. Out: the same app, whose answers carry ``X-Request-ID``. No query string, header or
body is logged: they may hold what is nobody's business.
"""

import logging
import time
from collections.abc import Set as AbstractSet

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mltrace_exporter.logs import enter_request

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"

_log = logging.getLogger(__name__)


def tell_request(level: int, method: str, path: str, status: str | int, begun_s: float) -> None:
    """Log a request that is answered.

    Args:
        level: of ``logging``.
        method: of HTTP, or ``gRPC``.
        path: without its query.
        status: number of HTTP, name of gRPC.
        begun_s: when it began, on `time.perf_counter`'s clock.
    """
    duration_s = round(time.perf_counter() - begun_s, 6)
    fields = {"method": method, "path": path, "status": status, "duration_s": duration_s}
    _log.log(level, "%s %s: %s in %.3f s", method, path, status, duration_s, extra=fields)


class AccessLog:
    """ASGI middleware that logs each request at one level, ``probes`` that succeed at DEBUG."""

    def __init__(self, app: ASGIApp, level: int, probes: AbstractSet[str] = frozenset()) -> None:
        self._app = app
        self._level = level
        self._probes = probes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of ASGI."""
        headers = Headers(scope=scope)
        caller = enter_request(headers.get(REQUEST_ID), headers.get(TRACEPARENT))
        begun_s = time.perf_counter()
        status = 500  # what uvicorn answers if the app does not

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = caller.request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            path = scope["path"]
            is_quiet = path in self._probes and status < 400  # noqa: PLR2004 - errors begin there
            level = logging.DEBUG if is_quiet else self._level
            tell_request(level, scope["method"], path, status, begun_s)
