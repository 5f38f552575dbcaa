"""Starts the real programs of the system tests, and ends them by their process id.

In: folders for their data. Out: running programs with their addresses; when a test fails, the end
of each program's log. Ports are free ones; every wait polls against a deadline.
"""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import httpx
import pytest
from provide import find_program

REPOSITORY = Path(__file__).parent.parent
_T = TypeVar("_T")
_START_S = 60.0
_STOP_S = 60.0
_LOG_LINES = 40
_PORTS = range(20_000, 32_000)
_READY = re.compile(r"mltrace is ready: panel (\S+)  OTLP/HTTP (\S+)  OTLP/gRPC (\S+)  data ")


def require(name: str) -> Path:
    """Return where a program is; without it the test is skipped, which in CI is a failure."""
    found = find_program(name)
    if found is None:
        pytest.skip(f"{name} is missing here: `make services` gets it or says why it cannot")
    return found


def await_value(
    read: Callable[[], _T | None], what: str, deadline_s: float = 30.0, every_s: float = 0.05
) -> _T:
    """Return what ``read`` returns as soon as that is true; fail when the deadline has passed."""
    end = time.monotonic() + deadline_s
    while not (value := read()):
        assert time.monotonic() < end, f"{what} did not happen within {deadline_s} s"
        time.sleep(every_s)
    return value


def find_free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on.

    They are of those that the system gives to no connection by itself, and that another process of
    the test run does not look at, so that they are still free when a program takes them.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports: list[int] = []
    while len(ports) < count:
        port = _PORTS.start + workers * secrets.randbelow(len(_PORTS) // workers) + worker
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Program(ABC):
    """A program that runs for a test. Leaving its context ends it; a failure shows its log."""

    def __init__(
        self, command: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = command
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            if error is not None:
                sys.stdout.write(self.read_log_end())

    def start(self) -> None:
        """Start the program and wait until it answers."""
        offset = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - starting programs is what this is for
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            await_value(
                lambda: self._is_ready(offset), f"the start of {self._command[0]}", _START_S
            )
        except BaseException:
            self.kill()
            sys.stdout.write(self.read_log_end())
            raise

    def stop(self, deadline_s: float = _STOP_S) -> int | None:
        """Ask the program to end as a service manager does; return its exit code."""
        return self._end(signal.SIGTERM, deadline_s)

    def kill(self) -> None:
        """End the program as a power cut does."""
        self._end(signal.SIGKILL, _STOP_S)

    def read_log_end(self) -> str:
        """Return the last lines of what the program printed."""
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join([f"--- {self._log.name}", *lines, ""])

    def _end(self, number: signal.Signals, deadline_s: float) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _is_ready(self, log_offset: int) -> bool:
        assert self._process, "the program was not started"
        code = self._process.poll()
        assert code is None, f"{self._command[0]} ended with {code}:\n{self.read_log_end()}"
        with self._log.open("rb") as log:
            log.seek(log_offset)
            return self._answers(log.read().decode(errors="replace"))

    @abstractmethod
    def _answers(self, log: str) -> bool:
        """Return whether the program is ready, given what it printed since its start."""


class Exporter(Program):
    """The exporter as `mltrace up` runs it, or `mltrace serve` if it is given a database.

    Its ports stay the same when it is started again.
    """

    def __init__(self, home: Path, *options: str, database_url: str | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        port, otlp_http_port, otlp_grpc_port = find_free_ports(3)
        self.panel = self.otlp_http = self.otlp_grpc = ""
        command = [
            str(Path(sys.executable).with_name("mltrace")),
            *(
                ["serve", f"--database-url={database_url}"]
                if database_url
                else ["up", f"--home={home}"]
            ),
            f"--port={port}",
            f"--otlp-http-port={otlp_http_port}",
            f"--otlp-grpc-port={otlp_grpc_port}",
            "--metrics-interval=1",
            *options,
        ]
        super().__init__(command, home / "exporter.log")

    def _answers(self, log: str) -> bool:
        ready = _READY.search(log)
        if ready:
            self.panel, self.otlp_http, self.otlp_grpc = ready.groups()
        return bool(ready)


class Collector(Program):
    """The project's OpenTelemetry Collector with one of its configurations.

    Leaving its context also fails if it warned that something in its configuration is deprecated.
    """

    def __init__(
        self,
        directory: Path,
        exporter: str,
        config: str = "durable.yaml",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        grpc_port, http_port, health_port, metrics_port = find_free_ports(4)
        self.otlp_http = f"http://127.0.0.1:{http_port}"
        self.otlp_grpc = f"127.0.0.1:{grpc_port}"
        self._health = f"http://127.0.0.1:{health_port}"
        environment = {
            "MLTRACE_COLLECTOR_GRPC": self.otlp_grpc,
            "MLTRACE_COLLECTOR_HTTP": f"127.0.0.1:{http_port}",
            "MLTRACE_COLLECTOR_HEALTH": f"127.0.0.1:{health_port}",
            "MLTRACE_COLLECTOR_METRICS_PORT": str(metrics_port),
            "MLTRACE_COLLECTOR_STORAGE": str(directory / "queue"),
            "MLTRACE_EXPORTER": exporter,
            **(variables or {}),
        }
        path = REPOSITORY / "collector-config" / config
        command = [str(require("collector")), f"--config={path}"]
        super().__init__(command, directory / "collector.log", environment)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            assert "deprecat" not in self._log.read_text().lower()

    def _answers(self, log: str) -> bool:
        del log
        try:
            return httpx.get(self._health, timeout=2).is_success
        except httpx.HTTPError:
            return False
