"""A real server on a fresh database, and the program that asks it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from calling import Mltrace
from serving import serve_api


@pytest.fixture
def server(engine: sa.Engine) -> Iterator[str]:
    """URL of a served API."""
    with serve_api(engine) as url:
        yield url


@pytest.fixture
def mltrace(server: str) -> Mltrace:
    """The program, asking the server."""
    return Mltrace(server)
