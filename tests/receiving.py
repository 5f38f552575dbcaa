"""Receives OTLP as a server would, over real HTTP and gRPC, and runs user's programs against it."""

import gzip
import os
import ssl
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from time import perf_counter

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.model import Run

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass(frozen=True)
class Reply:
    """What to answer a request with. ``grpc`` is the code's name where gRPC is asked."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    grpc: str = "OK"


@dataclass
class Receiver:
    """Keeps what arrives.

    Attributes:
        url: where it listens.
        accepted: bodies of requests that were answered with success.
        headers: headers of all requests, by lower-case name.
        replies: what to answer the next requests with; success when there is none left.
        refuses: requests that must not be taken, whatever is in ``replies``.
        delay_s: how long an answer takes.
        hang_ups: how many of the next requests over HTTP are answered by closing the connection.
    """

    url: str = ""
    accepted: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)
    refuses: Callable[[bytes], bool] = lambda _: False
    delay_s: float = 0.0
    hang_ups: int = 0
    refused: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Take a request and say how to answer it."""
        self.headers.append(headers)
        if self.delay_s:
            self.closing.wait(self.delay_s)
        reply = self.replies.popleft() if self.replies else Reply()
        if self.refuses(body):
            reply = Reply(400, b"this run is bad", grpc="INVALID_ARGUMENT")
        if reply.status == 200 and reply.grpc == "OK":
            self.accepted.append(body)
        else:
            self.refused += 1
        return reply

    def spans(self) -> list[Span]:
        """Return the spans that were taken."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.accepted]
        return [
            span
            for request in requests
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def runs(self, component: str | None = None) -> list[Run]:
        """Return the runs that were taken, as the exporter reads them."""
        found = [
            run for body in self.accepted for run in decode_request(body, Encoding.PROTOBUF).runs
        ]
        return [run for run in found if component in {None, run.component}]


@contextmanager
def receive_http(
    port: int = 0, tls: ssl.SSLContext | None = None, **fields: float
) -> Iterator[Receiver]:
    """Receive OTLP over HTTP until the block ends."""
    receiver = Receiver(**fields)  # type: ignore[arg-type] # what tests choose

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers[":path"] = self.path
            if receiver.hang_ups:
                receiver.hang_ups -= 1
                self.close_connection = True
                return
            reply = receiver.answer(body, headers)
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of clients that went away."""

    server = Server(("127.0.0.1", port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "https" if tls else "http"
    receiver.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def receive_grpc(tls: grpc.ServerCredentials | None = None) -> Iterator[Receiver]:
    """Receive OTLP over gRPC until the block ends."""
    receiver = Receiver()

    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        metadata = {str(pair[0]): str(pair[1]) for pair in context.invocation_metadata()}
        reply = receiver.answer(body, metadata)
        if reply.grpc != "OK":
            context.abort(grpc.StatusCode[reply.grpc], reply.body.decode())
        return b""

    server = grpc.server(ThreadPoolExecutor(4))
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
    service, _, method = _EXPORT[1:].partition("/")
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: handler}),)
    )
    if tls:
        receiver.url = f"https://127.0.0.1:{server.add_secure_port('127.0.0.1:0', tls)}"
    else:
        receiver.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.stop(None).wait()


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    stdout: str
    stderr: str
    duration_s: float


def run_program(folder: Path, text: str, **variables: str) -> Ended:
    """Run a user's program, whose text is Python, in a process of its own."""
    file = folder / "program.py"
    file.write_text(dedent(text), encoding="utf-8")
    started_s = perf_counter()
    done = subprocess.run(  # noqa: S603 - a program that a test wrote
        [sys.executable, file],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, perf_counter() - started_s)
