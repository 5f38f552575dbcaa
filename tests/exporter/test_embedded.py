import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import SettingsError, Unavailable

QUICK = {"fsync": "off"}


def ask(url: str, *statements: str) -> object:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            answer = connection.execute(sa.text(statement))
        value = answer.scalar() if answer.returns_rows else None
    engine.dispose()
    return value


def await_true(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def servers_of(data_dir: Path) -> list[int]:
    """Processes that work in a data directory, as every process of PostgreSQL does."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            works_here = (process / "cwd").samefile(data_dir)
        except OSError:
            continue
        if works_here:
            found.append(int(process.name))
    return found


def start_in_another_process(data_dir: Path) -> "subprocess.Popen[str]":
    code = (
        "import sys, time; from pathlib import Path\n"
        "from mltrace_exporter.embedded import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1]), options={'fsync': 'off'}) as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_it_starts_answers_and_leaves_nothing_running(tmp_path: Path) -> None:
    data_dir = tmp_path / "home" / "postgres"
    with EmbeddedPostgres(data_dir, options=QUICK) as server:
        assert ask(server.url, "SHOW server_version_num") >= "180000"  # type: ignore[operator]
        assert ask(server.url, "SHOW listen_addresses") == ""
        assert servers_of(data_dir)
    assert servers_of(data_dir) == []


def test_data_survive_a_restart_and_a_kill_of_the_server(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    with EmbeddedPostgres(data_dir) as server:
        ask(server.url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    with EmbeddedPostgres(data_dir) as server:
        ask(server.url, "INSERT INTO kept VALUES (2)")
        os.kill(int((data_dir / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        await_true(lambda: servers_of(data_dir) == [])
    assert (data_dir / "postmaster.pid").exists()
    with EmbeddedPostgres(data_dir) as server:
        assert ask(server.url, "SELECT sum(n) FROM kept") == 3


def test_a_pid_file_that_names_a_living_stranger_does_not_prevent_the_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    with EmbeddedPostgres(data_dir, options=QUICK):
        text = (data_dir / "postmaster.pid").read_text()
    stale = re.sub(r"^\d+", str(os.getpid()), text)
    (data_dir / "postmaster.pid").write_text(stale)
    with EmbeddedPostgres(data_dir, options=QUICK) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_when_the_parent_is_killed_the_server_ends_and_the_next_one_starts(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    parent = start_in_another_process(data_dir)
    assert parent.stdout is not None
    assert parent.stdin is not None
    url = parent.stdout.readline().strip()
    ask(url, "CREATE TABLE kept AS SELECT 7 AS n")
    parent.kill()
    parent.wait()
    with EmbeddedPostgres(data_dir, options=QUICK) as server:
        assert ask(server.url, "SELECT n FROM kept") == 7
    await_true(lambda: servers_of(data_dir) == [])
    parent.stdin.close()
    parent.stdout.close()


def test_a_directory_in_use_is_refused_in_one_sentence(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    with (
        EmbeddedPostgres(data_dir, options=QUICK) as server,
        pytest.raises(SettingsError, match="in use by another mltrace"),
        EmbeddedPostgres(data_dir),
    ):
        pass
    with pytest.raises(sa.exc.OperationalError):
        ask(server.url, "SELECT 1")


def test_a_long_path_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 25) / "postgres"
    with EmbeddedPostgres(data_dir, options=QUICK) as server:
        assert ask(server.url, "SELECT 1") == 1


def test_a_setting_it_refuses_is_told_with_the_reason_from_the_log(tmp_path: Path) -> None:
    with (
        pytest.raises(Unavailable, match=r"did not start: FATAL: .*shared_buffers"),
        EmbeddedPostgres(tmp_path / "postgres", options={**QUICK, "shared_buffers": "much"}),
    ):
        pass
    assert servers_of(tmp_path / "postgres") == []


def test_a_directory_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(SettingsError, match="Cannot keep data in"),
        EmbeddedPostgres(tmp_path / "file" / "postgres"),
    ):
        pass


def test_a_directory_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    data_dir.mkdir()
    (data_dir / "thesis.tex").write_text("mine")
    with (
        pytest.raises(SettingsError, match=r"Cannot keep data in .*: Directory not empty"),
        EmbeddedPostgres(data_dir, options=QUICK),
    ):
        pass
    assert (data_dir / "thesis.tex").read_text() == "mine"


def test_the_environment_of_the_user_does_not_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGDATABASE", "nothing")
    with EmbeddedPostgres(tmp_path / "postgres", options=QUICK) as server:
        assert ask(server.url, "SELECT 1") == 1
