"""The HTTP door: OTLP requests in protobuf or JSON come in, answers after the commit go out.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mltrace_exporter.decode import Encoding
from mltrace_exporter.errors import MalformedRequest, Unavailable, UnsupportedEncoding
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.receive.replies import Reply, reply_to, reply_to_path
from mltrace_exporter.receive.sizes import check_encoding, decompress, too_large

THREADS = 16
"""Requests that are decoded, or wait for their commit, at one time."""

_HELD_LIMIT_BYTES = 256 * 1024 * 1024
_DECOMPRESSED_AT_ONCE = 2


def create_http_door(ingest: Ingest, limit_bytes: int, timeout_s: float) -> Starlette:
    """Return the ASGI app that serves ``POST /v1/traces``.

    Args:
        ingest: takes the requests.
        limit_bytes: size of the largest request, before and after decompression.
        timeout_s: how long a request's body may take to come in, so that slow senders cannot keep
            the others out.
    """
    door = _HttpDoor(ingest, limit_bytes, timeout_s)
    app = Starlette(
        routes=[Route("/v1/traces", door.receive, methods=["POST"])],
        exception_handlers={HTTPException: _refuse_path},
    )
    # Senders of OTLP follow no redirect, and some take it for success.
    app.router.redirect_slashes = False
    return app


class _HttpDoor:
    def __init__(self, ingest: Ingest, limit_bytes: int, timeout_s: float) -> None:
        self._ingest = ingest
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s
        self._held_bytes = 0
        self._threads = ThreadPoolExecutor(THREADS, "otlp-http")
        # A few kilobytes may become the limit; `Ingest` refuses what is too much together.
        self._decompressing = threading.Semaphore(_DECOMPRESSED_AT_ONCE)

    async def receive(self, request: Request) -> Response:
        """Answer an export request."""
        try:
            encoding = _read_encoding(request.headers)
            await self._take_in(request, encoding)
        except Exception as error:  # noqa: BLE001 - every failure has its reply, see `reply_to`
            response = _refuse(request, reply_to(error, self._ingest))
            if isinstance(error, _TooSlow):
                response.headers["connection"] = "close"
            return response
        # ExportTraceServiceResponse without partial_success: zero bytes in protobuf.
        content = b"{}" if encoding is Encoding.JSON else b""
        return Response(content, media_type=encoding)

    async def _take_in(self, request: Request, encoding: Encoding) -> None:
        compression = request.headers.get("content-encoding", "").strip().lower()
        check_encoding(compression)
        chunks: list[bytes] = []
        try:
            await self._read_in_time(request, chunks)
            await asyncio.get_running_loop().run_in_executor(
                self._threads, self._accept, b"".join(chunks), compression, encoding
            )
        except ClientDisconnect:
            raise MalformedRequest("The sender hung up before the request was whole.") from None
        finally:
            self._held_bytes -= sum(map(len, chunks))

    async def _read_in_time(self, request: Request, chunks: list[bytes]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._read_body(request, chunks)
        except TimeoutError:
            # Not 408: senders would throw their data away.
            raise _TooSlow(
                f"The request did not come whole within {self._timeout_s:g} seconds: "
                "send smaller ones, or raise --request-timeout."
            ) from None

    async def _read_body(self, request: Request, chunks: list[bytes]) -> None:
        if int(request.headers.get("content-length", 0)) > self._limit_bytes:
            raise too_large(self._limit_bytes)
        size_bytes = 0
        async for chunk in request.stream():
            size_bytes += len(chunk)
            if size_bytes > self._limit_bytes:
                raise too_large(self._limit_bytes)
            if self._held_bytes + len(chunk) > _HELD_LIMIT_BYTES:
                raise Unavailable("Too many requests at once.")
            self._held_bytes += len(chunk)
            chunks.append(chunk)

    def _accept(self, body: bytes, compression: str, encoding: Encoding) -> None:
        with self._decompressing:
            plain = decompress(body, compression, self._limit_bytes)
        self._ingest.accept(plain, encoding)


class _TooSlow(Unavailable):
    """What is still to come of the request is not waited for."""


def _read_media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _read_encoding(headers: Headers) -> Encoding:
    media_type = _read_media_type(headers)
    try:
        return Encoding(media_type)
    except ValueError:
        raise UnsupportedEncoding(
            f"The Content-Type must be {' or '.join(Encoding)}, not {media_type[:80]!r}."
        ) from None


def _refuse(request: Request, reply: Reply) -> Response:
    """Send a reply in the request's encoding; in JSON, which people can read, if it has none."""
    waiting = {} if reply.retry_after_s is None else {"retry-after": str(reply.retry_after_s)}
    if _read_media_type(request.headers) == Encoding.PROTOBUF:
        body = reply.status.SerializeToString()
        return Response(body, reply.http_status, waiting, Encoding.PROTOBUF)
    return JSONResponse(json_format.MessageToDict(reply.status), reply.http_status, waiting)


async def _refuse_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    text = f"{request.method} {request.url.path} is not served here: POST traces to /v1/traces."
    response = _refuse(request, reply_to_path(error.status_code, text))
    response.headers.update(error.headers or {})
    return response
