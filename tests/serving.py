"""Serves the HTTP API over real HTTP, in a thread of the tests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from mltrace_exporter.api import problems, router

_DEADLINE_S = 20


@contextmanager
def serve_api(engine: sa.Engine) -> Iterator[str]:
    """Serve the API, and nothing else, on a free port of this machine; yield its URL."""
    app = FastAPI()
    app.state.engine = engine
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
