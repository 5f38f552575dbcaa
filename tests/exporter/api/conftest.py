"""The API over real HTTP on a fresh database, and a way to store runs that it sees."""

from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from serving import serve_api


@pytest.fixture
def api(engine: sa.Engine) -> Iterator[httpx.Client]:
    """A client of a served API."""
    with serve_api(engine) as url, httpx.Client(base_url=url) as client:
        yield client
