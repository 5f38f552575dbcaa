"""Fixtures that everything shares: a real PostgreSQL, a fresh database for each test."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.model import Run
from mltrace_exporter.store.arrivals.write import Written, write_runs
from mltrace_exporter.store.database import migrate, open_engine

pytest_plugins = ["house_rules"]

_TEMPLATE = "template_mltrace"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for what mltrace keeps on a machine, also for its programs."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MLTRACE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[sa.URL]:
    """A PostgreSQL for the session, with a migrated database to copy from."""
    with (
        # Not pytest's own folder: the third session after this one would delete it under us.
        TemporaryDirectory(prefix="mltrace-tests-", ignore_cleanup_errors=True) as folder,
        EmbeddedPostgres(Path(folder) / "data", options={"fsync": "off"}) as server,
    ):
        url = sa.make_url(server.url)
        _run_on(url, f"CREATE DATABASE {_TEMPLATE}")
        template = open_engine(_render(url.set(database=_TEMPLATE)))
        migrate(template)
        template.dispose()
        yield url


@pytest.fixture
def database_url(postgres_url: sa.URL, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a fresh migrated database."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    _run_on(postgres_url, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
    yield _render(postgres_url.set(database=name))
    _run_on(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine on a fresh migrated database."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to a fresh migrated database, in a transaction that nobody commits."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def store(connection: sa.Connection) -> Callable[[Sequence[Run]], Written]:
    """Stores runs in the connection's transaction."""
    return lambda runs: write_runs(connection, runs)


@pytest.fixture
def record(engine: sa.Engine) -> Callable[..., None]:
    """Stores runs and commits."""

    def write(*runs: Run) -> None:
        with engine.begin() as connection:
            write_runs(connection, runs)

    return write


def _run_on(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _render(url: sa.URL) -> str:
    return url.render_as_string(hide_password=False)
