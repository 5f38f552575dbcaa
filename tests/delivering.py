"""Runs programs with decorated functions in a home of their own, and sends what they leave."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from receiving import Ended, Receiver, run_program

MLTRACE = Path(sys.executable).with_name("mltrace")
NOBODY = "http://127.0.0.1:9"

WORK = """
    import os, signal, sys, time
    import mltrace_otel

    @mltrace_otel.Component("work").run(output_vars=["name"])
    def work(name):
        return name

"""


def run(home: Path, body: str, endpoint: str = NOBODY, **variables: str) -> Ended:
    """Run a program that can `work`, in a home of its own."""
    return run_program(
        home if home.is_dir() else home.parent,
        dedent(WORK) + dedent(body),
        MLTRACE_HOME=str(home),
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        **variables,
    )


def send(home: Path, endpoint: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `mltrace spool send`."""
    return subprocess.run(  # noqa: S603 - our own program
        [MLTRACE, "spool", "send", *options],
        env={
            **os.environ,
            "MLTRACE_HOME": str(home),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def deliver_rest(home: Path, receiver: Receiver) -> list[str]:
    """Send what is left and return the names of all outputs that the receiver has, sorted."""
    done = send(home, receiver.url)
    assert done.returncode == 0, done.stderr
    return sorted(run.io[0].name for run in receiver.runs())


def names(prefix: str, count: int) -> list[str]:
    return sorted(f"{prefix}-{number}" for number in range(count))
