"""`mltrace run`: any command as a run, which must not notice that it is recorded."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import Receiver, receive_http
from services import await_value

MLTRACE = str(Path(sys.executable).parent / "mltrace")

# Who started the tests may ignore signals, as nohup does, and that is inherited.
_UNTOUCHED = ("env", "--default-signal")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive_http() as receiver:
        yield receiver


def make_environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "COLUMNS": "80",
    }


def run(
    folder: Path, url: str, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [*_UNTOUCHED, MLTRACE, "run", *arguments],
        cwd=folder,
        env=make_environment(folder, url),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_command_is_a_run_with_its_files(tmp_path: Path, receiver: Receiver) -> None:
    (tmp_path / "raw.csv").write_text("1,2\n" * 100)

    done = run(
        *(tmp_path, receiver.url, "cleaning", "-i", "raw.csv", "-o", "clean.csv"),
        *("--owner", "plumber", "--tag", "etl", "--tag", "nyc", "--partition", "monday"),
        *("--description", "Copies", "--", "cp", "-v", "raw.csv", "clean.csv"),
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "'raw.csv' -> 'clean.csv'\n"
    [recorded] = receiver.runs()
    assert (recorded.component, recorded.execution, recorded.partition) == (
        "cleaning",
        "ok",
        "monday",
    )
    assert recorded.words
    assert (recorded.words.owner, recorded.words.tags) == ("plumber", ("etl", "nyc"))
    read, wrote = recorded.io
    assert [(io.direction, io.name) for io in recorded.io] == [
        ("input", "raw.csv"),
        ("output", "clean.csv"),
    ]
    assert read.digest == wrote.digest
    assert read.size_bytes == 400
    assert recorded.attributes["process.command_args"] == ["cp", "-v", "raw.csv", "clean.csv"]
    assert recorded.attributes["process.exit.code"] == 0


def test_standard_input_and_output_are_the_commands(tmp_path: Path, receiver: Receiver) -> None:
    done = run(tmp_path, receiver.url, "copy", "--", "cat", stdin="through\0\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, "through\0\n", "")


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("exit 3", 3, "sh ended with exit code 3"),
        ("kill -TERM $$", 128 + signal.SIGTERM, "sh was ended by SIGTERM"),
    ],
)
def test_a_failure_is_passed_on_and_recorded(
    tmp_path: Path, receiver: Receiver, script: str, code: int, message: str
) -> None:
    done = run(tmp_path, receiver.url, "job", "-o", "never.csv", "--", "sh", "-c", script)

    assert (done.returncode, done.stderr) == (code, "")
    [recorded] = receiver.runs()
    assert (recorded.execution, recorded.io) == ("error", ())
    assert message in (recorded.message or "")


def test_a_command_that_cannot_be_run_is_told_as_shells_do(
    tmp_path: Path, receiver: Receiver
) -> None:
    (tmp_path / "text").write_text("no program")

    missing = run(tmp_path, receiver.url, "job", "--", "nosuchprogram")
    forbidden = run(tmp_path, receiver.url, "job", "--", "./text")

    assert (missing.returncode, forbidden.returncode) == (127, 126)
    assert missing.stderr == "mltrace: nosuchprogram cannot be run: No such file or directory\n"
    assert [each.execution for each in receiver.runs()] == ["error", "error"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_go_on_to_the_command(
    tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    script = f"trap 'echo bye; exit 9' {number.name.removeprefix('SIG')}; touch up; "
    script += "while :; do sleep 0.05; done"
    with subprocess.Popen(  # noqa: S603 - our own program
        [*_UNTOUCHED, MLTRACE, "run", "job", "--", "sh", "-c", script],
        cwd=tmp_path,
        env=make_environment(tmp_path, receiver.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        await_value((tmp_path / "up").exists, "the start of the command")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (9, b"bye\n", b"")
    assert receiver.runs()[0].execution == "error"


def test_the_command_inherits_no_blocked_or_ignored_signal(
    tmp_path: Path, receiver: Receiver
) -> None:
    done = run(
        tmp_path, receiver.url, "job", "--", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status"
    )

    masks = [int(line.split()[1], 16) for line in done.stdout.splitlines()]
    # The C library keeps the signals from 32 on to itself.
    assert [mask & 0x7FFF_FFFF for mask in masks] == [0, 0]


def test_a_command_that_lasts_is_seen_before_its_end(tmp_path: Path, receiver: Receiver) -> None:
    with subprocess.Popen(  # noqa: S603 - our own program
        [MLTRACE, "run", "job", "--", "sleep", "60"],
        cwd=tmp_path,
        env=make_environment(tmp_path, receiver.url),
    ) as process:
        await_value(lambda: bool(receiver.spans()), "a sign of life")
        assert receiver.runs() == []
        process.terminate()
        assert process.wait(30) == 128 + signal.SIGTERM

    assert [each.execution for each in receiver.runs()] == ["error"]


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "nonsense"])
def test_whatever_is_wrong_with_us_the_command_runs(tmp_path: Path, endpoint: str) -> None:
    (tmp_path / ".mltrace").write_text("no folder")

    done = run(tmp_path, endpoint, "job", "-i", "x" * 5000, "--", "echo", "done")

    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "Traceback" not in done.stderr


def test_a_command_is_needed(tmp_path: Path) -> None:
    done = run(tmp_path, "http://127.0.0.1:1", "job")

    assert done.returncode == 2
    assert "COMMAND" in done.stderr
