"""Serves the HTTP API and the doors for OTLP on real sockets, in threads of the tests."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from mltrace_exporter.api import problems, router
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.monitoring.poller import Poller
from mltrace_exporter.receive import GrpcDoor, create_http_door

LIMIT_BYTES = 1_000_000
TIMEOUT_S = 20.0
_DEADLINE_S = 20


@contextmanager
def serve_api(engine: sa.Engine) -> Iterator[str]:
    """Serve the API, and nothing else, on a free port of this machine; yield its URL."""
    app = FastAPI()
    app.state.engine = engine
    app.state.poller = Poller(engine)
    app.include_router(router)
    problems.install(app)
    with serve(app) as url:
        yield url


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve ``app`` on a free port of this machine; yield its URL."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, ws="none", log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_find_port(server, thread)}"
    finally:
        server.should_exit = True
        thread.join(_DEADLINE_S)


def _find_port(server: uvicorn.Server, thread: threading.Thread) -> int:
    deadline = time.monotonic() + _DEADLINE_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server took too long to start"
        thread.join(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@contextmanager
def serve_http(ingest: Ingest, timeout_s: float = TIMEOUT_S, port: int = 0) -> Iterator[str]:
    """Serve the HTTP door; the value is its URL."""
    app = create_http_door(ingest, LIMIT_BYTES, timeout_s)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serve_grpc(
    ingest: Ingest, timeout_s: float = TIMEOUT_S, address: str = "127.0.0.1:0"
) -> Iterator[str]:
    """Serve the gRPC door; the value is its address."""
    door = GrpcDoor(address, LIMIT_BYTES, timeout_s)
    door.serve(ingest)
    try:
        yield f"{address.rpartition(':')[0]}:{door.port}"
    finally:
        door.stop(5).wait()
