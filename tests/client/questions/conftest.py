"""A real server that this program's settings name."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from serving import serve_api


@pytest.fixture
def server(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of a served API, which `mltrace_otel` asks."""
    with serve_api(engine) as url:
        monkeypatch.setenv("MLTRACE_ADDRESS", url)
        yield url
