"""A loaded exporter's database is killed, kept away and filled: what was answered is stored."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg2
import pytest
from loading import Load, check_stored_once, keep_sending
from services import Exporter, await_value

from mltrace_exporter.embedded import EmbeddedPostgres

# `make soak` asks for a minute.
AWAY_S = float(os.environ.get("MLTRACE_TEST_AWAY_S", "10"))
DISK_MIB = 300


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mltrace-faults-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that is not the exporter's to look after."""
    with EmbeddedPostgres(folder / "data") as server:
        yield server


@pytest.fixture
def exporter(postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Exporter]:
    with Exporter(tmp_path, database_url=postgres.url) as running:
        yield running


def find_server(data: Path) -> list[int]:
    """Return the process ids of the server that runs on a folder, its main process first."""
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def find_backend(data: Path) -> int:
    """Return a process that works for the exporter."""
    with ask(data) as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'mltrace-exporter'"
            " ORDER BY xact_start NULLS LAST LIMIT 1"
        )
        ((pid,),) = cursor.fetchall()
    assert isinstance(pid, int)
    return pid


@contextmanager
def ask(data: Path) -> Iterator["psycopg2.extensions.cursor"]:
    connection = psycopg2.connect(host=str(data), port=5432, user="postgres", dbname="postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def await_progress(load: Load, requests: int = 4) -> None:
    goal = load.total + 20 * requests
    await_value(lambda: load.total >= goal, "the acknowledgement of more runs", 60)


def test_a_killed_backend_costs_no_run(folder: Path, exporter: Exporter) -> None:
    with keep_sending(exporter) as load:
        for _ in range(3):
            await_progress(load)
            kill([find_backend(folder / "data")])
        await_progress(load)
    check_stored_once(exporter, load)


def test_a_killed_and_restarted_database_costs_no_run(
    folder: Path, postgres: EmbeddedPostgres, exporter: Exporter
) -> None:
    with keep_sending(exporter) as load:
        for _ in range(3):
            await_progress(load)
            kill(find_server(folder / "data"))
            await_restart(postgres)
        await_progress(load)
    check_stored_once(exporter, load)


def await_restart(postgres: EmbeddedPostgres) -> None:
    def restart() -> bool:
        return postgres.restart_if_ended()

    await_value(restart, "the restart of the database")


@pytest.mark.timeout(180 + 2 * AWAY_S)
def test_a_database_that_stays_away_is_waited_for(
    folder: Path, postgres: EmbeddedPostgres, exporter: Exporter
) -> None:
    with keep_sending(exporter) as load:
        await_progress(load)
        kill(find_server(folder / "data"))
        away = time.monotonic()
        await_value(lambda: load.refused > 0, "a refusal")
        assert httpx.get(f"{exporter.panel}/readyz").status_code == 503
        assert httpx.get(f"{exporter.panel}/api/runs").status_code == 503
        time.sleep(max(0.0, AWAY_S - (time.monotonic() - away)))
        acknowledged = load.total
        await_restart(postgres)
        begun = time.monotonic()
        await_value(lambda: load.total > acknowledged, "an acknowledgement")
        assert time.monotonic() - begun < 10
        await_progress(load)
    check_stored_once(exporter, load)


@pytest.fixture
def disk(folder: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = folder / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("only root may mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S603, S607


def fill(disk: Path, left_mib: int) -> Path:
    """Fill the disk up to so much with a file, and return it."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - left_mib * 2**20)
    return filler


def use_up_log(data: Path) -> None:
    """Have the server begin new files of its log until there is no room for one."""
    with suppress(psycopg2.Error), ask(data) as cursor:
        for _ in range(DISK_MIB):
            cursor.execute("SELECT pg_logical_emit_message(false, 'test', 'x'), pg_switch_wal()")


@pytest.mark.parametrize("fills_log", [False, True], ids=["data", "log"])
def test_a_full_disk_is_waited_for(disk: Path, tmp_path: Path, *, fills_log: bool) -> None:
    data = disk / "postgres"
    with Exporter(tmp_path, f"--home={disk}") as exporter:
        with keep_sending(exporter) as load:
            await_progress(load)
            filler = fill(disk, left_mib=1)
            if fills_log:
                use_up_log(data)
            await_value(lambda: load.refused > 8, "refusals", 60)
            filler.unlink()
            await_progress(load)
        check_stored_once(exporter, load)
    restarted = "Starting it again" in (tmp_path / "exporter.log").read_text()
    assert restarted == fills_log


def test_the_private_database_is_started_again_when_it_is_killed(
    folder: Path, tmp_path: Path
) -> None:
    with Exporter(tmp_path, f"--home={folder}") as exporter:
        with keep_sending(exporter) as load:
            for _ in range(2):
                await_progress(load)
                kill(find_server(folder / "postgres"))
            await_progress(load)
        check_stored_once(exporter, load)
        assert exporter.stop() == 0
