import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import make_run
from calling import Mltrace
from fastapi import FastAPI
from serving import serve

BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def block(folder: Path, *packages: str) -> str:
    """Return a PYTHONPATH under which ``packages`` are not installed."""
    (folder / "sitecustomize.py").write_text(BLOCKER.format(blocked=packages))
    return str(folder)


def test_help_names_all_commands_without_the_server(tmp_path: Path) -> None:
    path = block(tmp_path, "mltrace_exporter", "fastapi", "sqlalchemy")

    shown = Mltrace("").show("--help", PYTHONPATH=path)

    for command in ("recent", "history", "inspect", "trace", "components", "tags", "tag"):
        assert f"  {command} " in shown
    for command in ("flag", "unflag", "review", "up", "serve", "demo"):
        assert f"  {command} " in shown


def test_help_says_what_each_command_is_for() -> None:
    told = Mltrace("").show("--help").partition("\nQuestions:\n")[2].splitlines()

    commands = [line for line in told if line.startswith("  ")]
    assert len(commands) > 15
    assert [line for line in commands if len(line.split(maxsplit=1)) == 1] == []


@pytest.mark.parametrize("arguments", [("up",), ("serve", "--help")])
def test_a_server_command_without_the_server_says_what_to_install(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = Mltrace("")(*arguments, PYTHONPATH=block(tmp_path, "sqlalchemy"))

    assert done.returncode == 2
    assert "pip install 'mltrace-otel[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_questions_need_no_server_package(
    mltrace: Mltrace, record: Callable[..., None], tmp_path: Path
) -> None:
    record(make_run("cleaning"))

    assert "cleaning" in mltrace.show("recent", PYTHONPATH=block(tmp_path, "sqlalchemy", "fastapi"))


def test_the_version_is_that_of_the_package() -> None:
    assert Mltrace("").show("--version").startswith("mltrace, version ")


def test_an_unreachable_server_ends_with_3_and_says_what_to_do(nowhere: str) -> None:
    done = Mltrace(nowhere)("recent")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    for word in (f"http://{nowhere}", "Connection refused", "mltrace up", "MLTRACE_ADDRESS"):
        assert word in done.stderr


def test_what_is_no_mltrace_server_ends_with_3() -> None:
    with serve(FastAPI()) as other:
        done = Mltrace(other)("recent")

    assert (done.returncode, done.stdout) == (3, "")
    assert "not as an mltrace server" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("recnt",),
        ("recent", "--limit", "0"),
        ("recent", "--limit", "many"),
        ("recent", "--address", "ftp://example.org"),
        ("review", "--sort", "luck"),
        ("unflag",),
        ("unflag", "a", "--all"),
        ("flag",),
        ("flag", "-"),
        ("flag", "a", "--severity", "terrible"),
        ("recent", "--since", "yesterday"),
        ("recent", "--status", "good"),
        ("trace", "a", "--depth", "-1"),
        ("notes", "1", " "),
        ("search",),
    ],
)
def test_wrong_usage_ends_with_2_and_one_error(nowhere: str, arguments: tuple[str, ...]) -> None:
    done = Mltrace(nowhere)(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_the_address_option_wins_over_the_environment(server: str, nowhere: str) -> None:
    host_and_port = server.removeprefix("http://")

    assert "No run is recorded yet" in Mltrace(nowhere).show("recent", "--address", server)
    assert "No run is recorded yet" in Mltrace(nowhere).show("recent", "--address", host_and_port)


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "nobody"),
        ("inspect", "999"),
        ("inspect", "../components"),
        ("trace", "nothing.csv"),
        ("flag", "nothing.csv"),
        ("unflag", "nothing.csv"),
        ("tag", "untold"),
        ("components", "--tag", "untold"),
        ("components", "--owner", "nobody"),
        ("impact", "nothing.csv"),
        ("notes", "999"),
        ("notes", "999", "text"),
        ("search", "nothing"),
    ],
)
def test_what_nobody_recorded_ends_with_1_and_one_sentence(
    mltrace: Mltrace, arguments: tuple[str, ...]
) -> None:
    done = mltrace(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("mltrace: ")
