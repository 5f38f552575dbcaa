"""Runs `mltrace demo` as a user does. In: a folder. Out: its story, and a server full of runs."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
from services import Program, await_value, find_free_ports

from mltrace_otel.contract.api import Review, RunPage, RunSummary, Trace

MLTRACE = str(Path(sys.executable).with_name("mltrace"))
_STORY_LIMIT_S = 170.0
_PORTS = ("port", "otlp-http-port", "otlp-grpc-port")


class Demo(Program):
    """A demo on free ports. It is ready when its server is; `await_story` waits for the rest."""

    def __init__(self, directory: Path, *options: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.home = directory / "home"
        self.panel = ""
        ports = find_free_ports(3)
        self.otlp_http = f"http://127.0.0.1:{ports[1]}"
        named = [f"--{name}={port}" for name, port in zip(_PORTS, ports, strict=True)]
        command = [MLTRACE, "demo", f"--home={self.home}", *named, *options]
        environment = {"MLTRACE_HOME": str(directory), "COLUMNS": "200"}
        super().__init__(command, directory / "demo.log", environment)

    def await_story(self) -> str:
        """Return what the demo told, when it is through."""
        return await_value(self._read_story, "the end of the demo's story", _STORY_LIMIT_S)

    def await_exit(self) -> int:
        """Return the exit code of a demo that ends by itself."""
        assert self._process
        return self._process.wait(_STORY_LIMIT_S)

    def interrupt(self) -> int | None:
        """Press Ctrl-C; return the exit code."""
        return self._end(signal.SIGINT, _STORY_LIMIT_S)

    def ask(self, *question: str) -> str:
        """Return what `mltrace` answers about this demo."""
        return run_mltrace(*question, "--address", self.panel)

    def review(self) -> Review:
        """Return the review as the command line has it."""
        return msgspec.json.decode(self.ask("review", "--json"), type=Review)

    def trace(self, output: str) -> Trace:
        """Return the lineage of an output as the command line has it."""
        return msgspec.json.decode(self.ask("trace", output, "--json"), type=Trace)

    def list_runs(self, component: str) -> list[RunSummary]:
        """Return all runs of a component as the command line has them."""
        page = self.ask("history", component, "--limit=1000", "--json")
        return msgspec.json.decode(page, type=RunPage).items

    def read_log(self) -> str:
        """Return all that the demo printed."""
        return self._log.read_text()

    def _read_story(self) -> str | None:
        assert self._process
        assert self._process.poll() is None, self.read_log_end()
        log = self.read_log()
        return log if "until Ctrl-C" in log else None

    def _answers(self, log: str) -> bool:
        ready = re.search(r"runs come in: (\S+)", log)
        if ready:
            self.panel = ready.group(1)
        return bool(ready)


def run_mltrace(*arguments: str, code: int = 0) -> str:
    """Run `mltrace` to its end, with the exit code that is expected; return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own program
        [MLTRACE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr
