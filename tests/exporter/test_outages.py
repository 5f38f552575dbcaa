"""The database goes away under load and comes back: senders are told to wait, nothing is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from builders import make_run
from otlp import write_protobuf

from mltrace_exporter.decode import Encoding
from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import Unavailable
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, read_totals
from mltrace_exporter.store.database import migrate, open_engine


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mltrace-outage-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


def test_a_killed_database_is_waited_for_and_nothing_acknowledged_is_lost(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acknowledged = 0
    with ExitStack() as cleanup:
        server = cleanup.enter_context(EmbeddedPostgres(folder))
        engine = open_engine(server.url)
        cleanup.callback(engine.dispose)
        migrate(engine)
        ingest = Ingest(engine)
        cleanup.callback(ingest.close)
        for _ in range(3):
            for _ in range(5):
                ingest.accept(write_protobuf([make_run("etl")]), Encoding.PROTOBUF)
                acknowledged += 1
            waiting = write_protobuf([make_run("etl")])
            kill(folder)
            with pytest.raises(Unavailable) as refusal:
                ingest.accept(waiting, Encoding.PROTOBUF)
            assert refusal.value.retry_after_s > 0
            server.__exit__(None, None, None)
            server.__enter__()
            ingest.accept(waiting, Encoding.PROTOBUF)
            acknowledged += 1
        with engine.connect() as connection:
            assert read_totals(connection, RUNS_TOTAL) == {("etl", "succeeded"): acknowledged}
            count = connection.scalar(sa.text("SELECT count(*) FROM component_run"))
            assert count == acknowledged
    told = [each.getMessage() for each in caplog.records if each.name.endswith("journal")]
    assert len(told) == 6
    assert all("does not store what comes" in each for each in told[::2])
    assert all("The database is back" in each for each in told[1::2])


def kill(folder: Path) -> None:
    """Kill the server that runs on a folder, and its children with it."""
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (pid, *map(int, children)):
        os.kill(each, signal.SIGKILL)
