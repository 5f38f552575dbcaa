"""A real server on a fresh database, and the program that asks it."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from calling import Mltrace
from serving import serve_api

from mltrace_exporter.model import Run
from mltrace_exporter.store.write import write_runs


@pytest.fixture
def server(engine: sa.Engine) -> Iterator[str]:
    """URL of a served API."""
    with serve_api(engine) as url:
        yield url


@pytest.fixture
def mltrace(server: str) -> Mltrace:
    """The program, asking the server."""
    return Mltrace(server)


@pytest.fixture
def record(engine: sa.Engine) -> Callable[..., None]:
    """Stores runs and commits."""

    def write(*runs: Run) -> None:
        with engine.begin() as connection:
            write_runs(connection, runs)

    return write
