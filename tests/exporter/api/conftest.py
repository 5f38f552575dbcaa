"""The API over real HTTP on a fresh database, and a way to store runs that it sees."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import sqlalchemy as sa
from serving import serve_api

from mltrace_exporter.model import Run
from mltrace_exporter.store.write import write_runs


@pytest.fixture
def api(engine: sa.Engine) -> Iterator[httpx.Client]:
    """A client of a served API."""
    with serve_api(engine) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def record(engine: sa.Engine) -> Callable[..., None]:
    """Stores runs and commits."""

    def write(*runs: Run) -> None:
        with engine.begin() as connection:
            write_runs(connection, runs)

    return write
