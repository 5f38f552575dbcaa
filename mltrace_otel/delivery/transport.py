"""One OTLP request to the endpoint. In: the request's bytes. Out: what the server answered.

The SDK's exporters hide partial success, redirects and permanent refusals, so we ask ourselves.
Source: OTLP specification, "OTLP/HTTP Response" and "OTLP/gRPC Response".
"""

import codecs
import gzip
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol as Interface
from urllib.parse import urlsplit

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mltrace_otel.delivery.answer import Answer, Verdict
from mltrace_otel.errors import SettingsError
from mltrace_otel.settings import Compression, Protocol, Settings

_RETRYABLE_HTTP = frozenset((408, 429))
_BLOCKED_HTTP = frozenset((*range(300, 400), 401, 403, 404, 405, 407))
_SERVER_ERRORS = 500
_EXCERPT = 300
_RETRYABLE_GRPC = frozenset(
    {
        *("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE"),
        *("DATA_LOSS", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED"),
    }
)
_BLOCKED_GRPC = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED", "NOT_FOUND"})
_TOO_LARGE = "larger than max"
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


class Transport(Interface):
    """Sends requests to one endpoint; a broken connection is an answer, not an exception."""

    def post(self, body: bytes) -> Answer:
        """Send one ``ExportTraceServiceRequest``."""

    def close(self) -> None:
        """Let go of connections."""


def open_transport(settings: Settings) -> Transport:
    """Return the transport that the settings ask for. Nothing is sent yet.

    Raises:
        SettingsError: certificates or keys cannot be read.
    """
    kind = GrpcTransport if settings.protocol is Protocol.GRPC else HttpTransport
    try:
        return kind(settings)
    except OSError as error:
        files = filter(
            None, (settings.certificate, settings.client_key, settings.client_certificate)
        )
        names = " and ".join(map(str, files))
        raise SettingsError(f"{names} cannot be used for TLS: {error}.") from error


class HttpTransport:
    """OTLP over HTTP, protobuf."""

    def __init__(self, settings: Settings) -> None:
        codecs.lookup("idna")  # sockets would import it with the first request: see `Sender`
        self._url = settings.endpoint
        self._gzip = settings.compression is Compression.GZIP
        self._client = httpx.Client(
            timeout=settings.timeout_s,
            headers={**dict(settings.headers), "content-type": "application/x-protobuf"},
            verify=_trust(settings),
            # A proxy that the environment names cannot reach this machine.
            mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
        )

    def post(self, body: bytes) -> Answer:
        """Send one request; see `Transport`."""
        headers = {"content-encoding": "gzip"} if self._gzip else {}
        content = gzip.compress(body, compresslevel=1) if self._gzip else body
        try:
            response = self._client.post(self._url, content=content, headers=headers)
        except httpx.HTTPError as error:
            return Answer(Verdict.POSTPONED, str(error) or type(error).__name__)
        return _judge_http(response)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()


class GrpcTransport:
    """OTLP over gRPC."""

    def __init__(self, settings: Settings) -> None:
        # Only those who choose gRPC pay for its import.
        import grpc  # noqa: PLC0415

        self._error = grpc.RpcError
        self._timeout_s = settings.timeout_s
        self._headers = settings.headers
        gzipped = settings.compression is Compression.GZIP
        packing = grpc.Compression.Gzip if gzipped else grpc.Compression.NoCompression
        parts = urlsplit(settings.endpoint)
        if parts.scheme == "http":
            self._channel = grpc.insecure_channel(parts.netloc, compression=packing)
        else:
            files = (settings.certificate, settings.client_key, settings.client_certificate)
            trust = grpc.ssl_channel_credentials(*(f.read_bytes() if f else None for f in files))
            self._channel = grpc.secure_channel(parts.netloc, trust, compression=packing)
        self._export: Callable[..., bytes] = self._channel.unary_unary(_EXPORT)

    def post(self, body: bytes) -> Answer:
        """Send one request; see `Transport`."""
        try:
            reply = self._export(body, timeout=self._timeout_s, metadata=self._headers)
        except self._error as error:
            code = error.code().name
            details = str(error.details())
            return Answer(_judge_grpc(code, details), f"{code}: {details}")
        return _read_reply(reply)

    def close(self) -> None:
        """Let go of connections."""
        self._channel.close()


def _trust(settings: Settings) -> ssl.SSLContext | bool:
    if not settings.endpoint.startswith("https"):
        return False  # there is nobody to trust, and to load the authorities takes a while
    context = ssl.create_default_context(cafile=settings.certificate)
    if settings.client_certificate:
        context.load_cert_chain(settings.client_certificate, settings.client_key)
    return context


def _judge_http(response: httpx.Response) -> Answer:
    if response.is_success:
        # A page for people: a server that takes everything for a visit.
        if response.headers.get("content-type", "").startswith("text/html"):
            return Answer(Verdict.BLOCKED, "what answers there is no OTLP server")
        return _read_reply(response.content)
    message = f"HTTP {response.status_code}: {' '.join(response.text[:_EXCERPT].split())}"
    status = response.status_code
    if status >= _SERVER_ERRORS or status in _RETRYABLE_HTTP:
        return Answer(Verdict.POSTPONED, message, _read_delay(response))
    return Answer(Verdict.BLOCKED if status in _BLOCKED_HTTP else Verdict.REFUSED, message)


def _judge_grpc(code: str, details: str) -> Verdict:
    # What is too large today is so tomorrow; the same code also says "too many at once".
    if _TOO_LARGE in details:
        return Verdict.REFUSED
    if code in _RETRYABLE_GRPC:
        return Verdict.POSTPONED
    return Verdict.BLOCKED if code in _BLOCKED_GRPC else Verdict.REFUSED


def _read_delay(response: httpx.Response) -> float | None:
    """Return how long the server asks to wait, in seconds. Source: RFC 9110, section 10.2.3."""
    text = response.headers.get("retry-after", "")
    try:
        if text.isdecimal():
            return float(text)
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):  # absent, or no date
        return None


def _read_reply(body: bytes) -> Answer:
    """Return the verdict of a successful answer, which may tell of spans that were not taken."""
    try:
        partial = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:  # a server that answers success with a body of its own
        return Answer(Verdict.DELIVERED)
    if partial.rejected_spans:
        return Answer(
            Verdict.DELIVERED, f"{partial.rejected_spans} refused: {partial.error_message}"
        )
    return Answer(Verdict.DELIVERED)
