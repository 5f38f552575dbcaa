"""Exporters behind PgBouncer, whose connections are fewer than theirs."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg2
import pytest
import sqlalchemy as sa
from builders import make_run, read, wrote
from otlp import write_protobuf
from pooling import Pooler
from services import Exporter, await_value

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.settings import read_database_url
from mltrace_exporter.store.database import open_engine

RUNS = 60
PER_REQUEST = 3
QUESTIONS = (f"/api/trace?output=s{RUNS - 1}", "/api/impact?output=s0", "/api/review", "/api/runs")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mltrace-pooler-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder / "data", options={"fsync": "off"}) as server:
        yield server


@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize(("mode", "size"), [("transaction", 3), ("session", 20)])
def test_exporters_share_the_connections_of_a_pooler(folder: Path, mode: str, size: int) -> None:
    with (
        Pooler(folder / "pooler", folder / "data", mode, size) as pooler,
        Exporter(folder / "exporter", database_url=pooler.url) as exporter,
        ThreadPoolExecutor(8) as threads,
    ):
        sent = threads.map(lambda start: send(exporter, start), range(0, RUNS, PER_REQUEST))
        assert set(sent) == {200}
        asked = threads.map(lambda path: httpx.get(f"{exporter.panel}{path}"), QUESTIONS * 10)
        answers = {(answer.url.raw_path, answer.status_code, answer.text) for answer in asked}
        assert len(answers) == len(QUESTIONS)
        assert {status for _, status, _ in answers} == {200}
        trace = httpx.get(f"{exporter.panel}{QUESTIONS[0]}").json()
        assert len(trace["nodes"]) == RUNS
        assert count_connections(folder / "data") <= size


@pytest.mark.usefixtures("postgres")
def test_settings_hold_in_every_transaction_and_outlive_none(
    folder: Path,
) -> None:
    with Pooler(folder / "pooler", folder / "data", "transaction", 1) as pooler:
        engine = open_engine(read_database_url(pooler.url))
        with engine.connect() as connection:
            for _ in range(2):
                assert connection.scalar(sa.text("SHOW random_page_cost")) == "1.1"
                connection.rollback()
        engine.dispose()
        with closing(psycopg2.connect(pooler.url)) as other, other.cursor() as cursor:
            cursor.execute("SHOW random_page_cost")
            assert cursor.fetchall() == [("4",)]


def test_a_database_that_went_away_behind_the_pooler_is_found_again(
    folder: Path, postgres: EmbeddedPostgres
) -> None:
    with (
        Pooler(folder / "pooler", folder / "data", "transaction", 3) as pooler,
        Exporter(folder / "exporter", database_url=pooler.url) as exporter,
    ):
        assert send(exporter, 0) == 200
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        await_value(lambda: ask(exporter) == 503, "the loss of the database")
        assert send(exporter, PER_REQUEST) == 503
        await_value(postgres.restart_if_ended, "the end of the database")
        await_value(lambda: ask(exporter) == 200, "the return of the database")
        assert send(exporter, PER_REQUEST) == 200


def ask(exporter: Exporter) -> int:
    status = httpx.get(f"{exporter.panel}/api/runs", timeout=30).status_code
    assert status in {200, 503}
    return status


def send(exporter: Exporter, start: int) -> int:
    runs = [
        make_run("step", 2 * step, io=[read(f"s{step - 1}"), wrote(f"s{step}")])
        for step in range(start, start + PER_REQUEST)
    ]
    headers = {"content-type": "application/x-protobuf"}
    url = f"{exporter.otlp_http}/v1/traces"
    return httpx.post(url, content=write_protobuf(runs), headers=headers, timeout=60).status_code


def count_connections(data: Path) -> int:
    """Return how many connections there are to a database, but for the one that asks."""
    address = f"postgresql://postgres@/postgres?host={data}&port=5432"
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        ((count,),) = cursor.fetchall()
    assert isinstance(count, int)
    return count
