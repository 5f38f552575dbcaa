"""A primary and its streaming replica: one exporter receives runs, another only reads."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg2
import pytest
from builders import make_run, read, wrote
from otlp import write_protobuf
from replicas import copy_server
from scraping import scrape
from services import Exporter, Program, await_value
from serving import serve

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.main import create_app
from mltrace_exporter.store.database import open_engine

STEPS = 12
LAST = f"s{STEPS - 1}"
_READY = re.compile(r"mltrace is ready: panel (\S+)  reads only  data ")
_LAG = re.compile(r"ok: reads only, from a replica; what it shows is at most ([0-9.]+) s old\n")
_NOT_CONNECTED_YET = "ok: reads only, from a replica; how old what it shows is cannot be told\n"
_OPTIONS = {"fsync": "off", "shared_buffers": "64MB", "max_standby_streaming_delay": "100ms"}


class Reader(Program):
    """`mltrace serve --read-only`."""

    def __init__(self, log: Path, database_url: str, writer_url: str) -> None:
        program = str(Path(sys.executable).with_name("mltrace"))
        options = ["--port=0", "--metrics-interval=1", f"--writer-url={writer_url}"]
        self.panel = ""
        command = [program, "serve", "--read-only", f"--database-url={database_url}", *options]
        super().__init__(command, log)

    def _answers(self, log: str) -> bool:
        ready = _READY.search(log)
        if ready:
            self.panel = ready[1]
        return bool(ready)


@dataclass(frozen=True)
class Pair:
    """A primary with an exporter that receives, a replica with one that reads."""

    folder: Path
    writer: Exporter
    reader: Reader

    def ask_both(self, path: str) -> list[object]:
        """Return what both answer, once the replica has all that the primary has."""
        self.await_replica()
        return [httpx.get(f"{each.panel}{path}").raise_for_status().json() for each in self.both]

    @property
    def both(self) -> tuple[Exporter, Reader]:
        return self.writer, self.reader

    def await_replica(self) -> None:
        with ask(self.folder / "primary") as cursor:
            cursor.execute("SELECT pg_current_wal_lsn()")
            ((wanted,),) = cursor.fetchall()
        with ask(self.folder / "replica") as cursor:

            def has_all() -> bool:
                cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted])
                return bool(cursor.fetchall()[0][0])

            await_value(has_all, "the replay of what the primary wrote")


@contextmanager
def ask(data: Path) -> Iterator["psycopg2.extensions.cursor"]:
    connection = psycopg2.connect(host=str(data), port=5432, user="postgres", dbname="postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    logs = tmp_path_factory.mktemp("logs")
    with TemporaryDirectory(prefix="mltrace-replica-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        primary = EmbeddedPostgres(folder / "primary", options=_OPTIONS)
        replica = EmbeddedPostgres(folder / "replica", options=_OPTIONS)
        hosts = "&".join(f"host={folder / each}:5432" for each in ("primary", "replica"))
        url = "postgresql://{}@/postgres?{}&target_session_attrs={}"
        writes = url.format("postgres", hosts, "read-write")
        reads = url.format("reader", hosts, "prefer-standby")
        with primary, Exporter(logs, database_url=writes) as writer:
            assert send(writer, 0, STEPS) == 200
            with ask(folder / "primary") as cursor:
                cursor.execute("CREATE ROLE reader LOGIN")
                cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
            copy_server(folder / "primary", folder / "replica")
            with replica, Reader(logs / "reader.log", reads, writer.panel) as reader:
                yield Pair(folder, writer, reader)


def send(writer: Exporter, start: int, end: int) -> int:
    runs = [
        make_run("step", 2 * step, io=[read(f"s{step - 1}"), wrote(f"s{step}")])
        for step in range(start, end)
    ]
    headers = {"content-type": "application/x-protobuf"}
    url = f"{writer.otlp_http}/v1/traces"
    return httpx.post(url, content=write_protobuf(runs), headers=headers).status_code


def test_a_replica_answers_as_its_primary_and_changes_nothing(pair: Pair) -> None:
    writer, reader = pair.both
    flag(writer, LAST)
    for path in (
        f"/api/trace?output={LAST}",
        "/api/impact?output=s0",
        "/api/review",
        "/api/runs",
        "/api/flags",
    ):
        mine, replicated = pair.ask_both(path)
        assert mine == replicated
        assert mine

    refused = httpx.post(f"{reader.panel}/api/flags", json={"outputs": ["s1"]})
    assert refused.status_code == 403
    assert writer.panel in refused.json()["detail"]

    assert "mltrace_exporter_replica_lag_seconds" not in scrape(writer.panel)


def test_a_replica_says_how_far_it_is_behind(pair: Pair) -> None:
    flag(pair.writer, "s1")
    pair.await_replica()
    await_value(lambda: read_lag(pair.reader) == 0, "the way to the primary")
    with ask(pair.folder / "replica") as cursor:
        cursor.execute("SELECT pg_wal_replay_pause()")
        flag(pair.writer, "s2")
        await_value(lambda: read_lag(pair.reader), "the arrival of what is not replayed")
        assert "what it shows is at most" in httpx.get(pair.reader.panel).text
        await_value(lambda: "replica_lag_seconds 0.0" not in scrape(pair.reader.panel), "a poll")
        cursor.execute("SELECT pg_wal_replay_resume()")
    await_value(lambda: read_lag(pair.reader) == 0, "the replay")
    assert "what it shows is at most" not in httpx.get(pair.reader.panel).text


def flag(writer: Exporter, output: str) -> None:
    body = {"outputs": [output], "reason": "wrong"}
    httpx.post(f"{writer.panel}/api/flags", json=body).raise_for_status()


def read_lag(reader: Reader) -> float:
    told = httpx.get(f"{reader.panel}/readyz").text
    lag = _LAG.fullmatch(told)
    assert lag or told == _NOT_CONNECTED_YET
    return float(lag[1]) if lag else inf


def test_an_exporter_that_receives_is_not_ready_on_a_replica(pair: Pair) -> None:
    pair.await_replica()
    engine = open_engine(
        f"postgresql+psycopg2://postgres@/postgres?host={pair.folder}/replica&port=5432"
    )
    with serve(create_app(engine)) as url:
        ready = httpx.get(f"{url}/readyz")
    engine.dispose()
    assert ready.status_code == 503
    assert "target_session_attrs=read-write" in ready.text


def test_a_question_that_the_replay_cancels_may_be_asked_again(pair: Pair) -> None:
    with (
        ask(pair.folder / "primary") as notes,
        ask(pair.folder / "primary") as runs,
        ThreadPoolExecutor(1) as pool,
    ):
        pair.await_replica()
        notes.execute("BEGIN; LOCK TABLE run_note")
        runs.execute("SELECT pg_switch_wal()")
        pair.await_replica()
        asked = pool.submit(httpx.get, f"{pair.reader.panel}/api/runs/1/notes", timeout=30)
        await_waiting(pair.folder / "replica")
        # The question holds what it has read so far, and the replay has to go on.
        runs.execute("BEGIN; LOCK TABLE component_run; COMMIT")
        answer = asked.result()
        notes.execute("COMMIT")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "by its primary" in answer.json()["detail"]
    assert httpx.get(f"{pair.reader.panel}/api/runs/1/notes").is_success


def await_waiting(data: Path) -> None:
    with ask(data) as cursor:

        def is_waiting() -> bool:
            cursor.execute(
                "SELECT FROM pg_stat_activity WHERE application_name = 'mltrace-exporter'"
                " AND wait_event_type = 'Lock'"
            )
            return bool(cursor.rowcount)

        await_value(is_waiting, "the wait for a lock")


def test_a_promoted_replica_takes_over(pair: Pair) -> None:
    """The last one: there is no pair any more."""
    wait_for_standby(pair.folder / "primary")
    assert send(pair.writer, STEPS, 2 * STEPS) == 200
    # Not waited for: it was answered, so both have it.
    primary_pid = int((pair.folder / "primary" / "postmaster.pid").read_text().split()[0])
    os.kill(primary_pid, signal.SIGKILL)
    with ask(pair.folder / "replica") as cursor:
        cursor.execute("SELECT pg_promote()")

    def is_stored() -> bool:
        status = send(pair.writer, 2 * STEPS, 3 * STEPS)
        assert status in {200, 503}
        return status == 200

    await_value(is_stored, "the exporter's way to the new primary")
    for each in pair.both:
        nodes = httpx.get(f"{each.panel}/api/trace?output=s{3 * STEPS - 1}").json()["nodes"]
        assert len(nodes) == 3 * STEPS
    assert httpx.get(f"{pair.reader.panel}/readyz").text == "ok: reads only\n"


def wait_for_standby(primary: Path) -> None:
    """Let the primary commit what its standby has, too."""
    with ask(primary) as cursor:
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        cursor.execute("SELECT pg_reload_conf()")

        def is_synchronous() -> bool:
            cursor.execute("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")
            return bool(cursor.rowcount)

        await_value(is_synchronous, "synchronous replication")
