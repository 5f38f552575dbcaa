"""The demo's two programs, the server and the pipeline. In: a home. Out: running processes.

They are processes as a user would start them, in sessions of their own: Ctrl-C reaches the demo
first, which ends them in order, and the kernel ends them if the demo is killed.
"""

import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mltrace_exporter.errors import ExporterError, Unavailable

_CHILD = Path(__file__).parent.parent / "embedded" / "child.py"
_MLTRACE = "from mltrace_otel.cli.main import main; main()"
_READY = re.compile(r"panel (?P<panel>\S+) +OTLP/HTTP (?P<otlp>\S+)")
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 60.0
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Server:
    """Where a running server is reached: URLs of its panel and of its OTLP/HTTP door."""

    panel: str
    otlp_http: str


@contextmanager
def run_server(home: Path, ports: Mapping[str, int]) -> Iterator[Server]:
    """Run `mltrace up` on ``home``; ``ports`` go to its options of these names.

    Raises:
        Unavailable: it does not start.
    """
    options = [f"--{name}={port}" for name, port in ports.items()]
    command = ["-c", _MLTRACE, "up", f"--home={home}", *options]
    with _start(command, home, "server.log", dict(os.environ)) as process:
        ready = _READY.search(_read_first_line(process))
        if ready is None:
            raise Unavailable(f"The server did not start: {_read_end(home / 'server.log')}")
        yield Server(ready["panel"], ready["otlp"])


def run_pipeline(home: Path, server: Server, on_day: Callable[[str], None]) -> None:
    """Run the pipeline in ``home`` to its end; ``on_day`` is told each day that is done.

    Raises:
        ExporterError: the pipeline failed.
    """
    module = "mltrace_exporter.demo.replay"
    with _start(["-m", module], home, "pipeline.log", _make_environment(home, server)) as process:
        for line in process.stdout or ():
            on_day(line.strip())
        if process.wait() != 0:
            raise ExporterError(f"The pipeline failed: {_read_end(home / 'pipeline.log')}")


def choose_port(port: int) -> int:
    """Return ``port``, or 0 (any free one) if another program has it."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return 0
    return port


@contextmanager
def _start(
    command: list[str], home: Path, log_name: str, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    keep_who_we_are = ["-1", "-1"]
    child = [sys.executable, str(_CHILD), str(os.getpid()), *keep_who_we_are]
    with (home / log_name).open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - this package's own programs
            [*child, sys.executable, *command],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _make_environment(home: Path, server: Server) -> dict[str, str]:
    # What the user's own environment says about other servers must not lead the runs away.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and name != "DB_SERVER"
    }
    return {
        **kept,
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http,
        "MLTRACE_ADDRESS": server.panel,
        "MLTRACE_HOME": str(home),
        "OTEL_SERVICE_NAME": "nyc-flights",
        # The tables are small: more threads would wait for each other.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _read_first_line(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        return ""
    readable, _, _ = select.select([process.stdout], [], [], _START_LIMIT_S)
    return process.stdout.readline() if readable else ""


def _read_end(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()[-_LOG_LINES:]
    return "\n".join([*lines, f"(all of it is in {log})"])
