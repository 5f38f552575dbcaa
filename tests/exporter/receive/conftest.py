"""Both doors on real sockets, with the real ingest on a real database."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from serving import serve_grpc, serve_http

from mltrace_exporter.ingest import Ingest
from mltrace_exporter.store.database import open_engine


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
