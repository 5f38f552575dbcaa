"""Both doors on real sockets, with the real ingest on a real database."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
import uvicorn

from mltrace_exporter.ingest import Ingest
from mltrace_exporter.receive import GrpcDoor, create_http_door
from mltrace_exporter.store.database import open_engine

LIMIT_BYTES = 1_000_000
TIMEOUT_S = 20.0


@pytest.fixture
def ingest(engine: sa.Engine) -> Iterator[Ingest]:
    ingest = Ingest(engine)
    yield ingest
    ingest.close()


@pytest.fixture
def ingest_without_database() -> Iterator[Ingest]:
    engine = open_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    ingest = Ingest(engine)
    yield ingest
    ingest.close()
    engine.dispose()


@contextmanager
def serve_http(ingest: Ingest, timeout_s: float = TIMEOUT_S) -> Iterator[str]:
    """Serve the HTTP door; the value is its URL."""
    app = create_http_door(ingest, LIMIT_BYTES, timeout_s)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def serve_grpc(ingest: Ingest, timeout_s: float = TIMEOUT_S) -> Iterator[str]:
    """Serve the gRPC door; the value is its address."""
    door = GrpcDoor("127.0.0.1:0", LIMIT_BYTES, timeout_s)
    door.serve(ingest)
    yield f"127.0.0.1:{door.port}"
    door.stop(5).wait()


@pytest.fixture
def http_url(ingest: Ingest) -> Iterator[str]:
    with serve_http(ingest) as url:
        yield url


@pytest.fixture
def hasty_http_url(ingest: Ingest) -> Iterator[str]:
    """A door that waits one second for a request."""
    with serve_http(ingest, timeout_s=1) as url:
        yield url


@pytest.fixture
def hasty_grpc_address(ingest: Ingest) -> Iterator[str]:
    """A door that waits one second for a request."""
    with serve_grpc(ingest, timeout_s=1) as address:
        yield address


@pytest.fixture
def http_url_without_database(ingest_without_database: Ingest) -> Iterator[str]:
    with serve_http(ingest_without_database) as url:
        yield url


@pytest.fixture
def grpc_address(ingest: Ingest) -> Iterator[str]:
    with serve_grpc(ingest) as address:
        yield address


@pytest.fixture
def grpc_address_without_database(ingest_without_database: Ingest) -> Iterator[str]:
    with serve_grpc(ingest_without_database) as address:
        yield address


@pytest.fixture
def stored(engine: sa.Engine) -> Callable[[], list[str]]:
    """Returns the components of the stored runs."""

    def read() -> list[str]:
        with engine.connect() as connection:
            query = sa.text("SELECT component FROM component_run ORDER BY component")
            return list(connection.scalars(query))

    return read
