"""Runs `mltrace grafana` beside grafana-client, which must not come into the tests' own process.

One process runs all commands of a test module: to load the library takes a second.
"""

import io
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from provide import find_grafana_client


class GrafanaProgram:
    """The program, as far as it asks Grafana."""

    def __init__(self, process: ProcessPoolExecutor) -> None:
        self._process = process

    def run(
        self, *arguments: str, code: int = 0, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run it to its end, with the exit code that is expected; return what it printed."""
        found, said = self._process.submit(_run, arguments, environment or {}).result(60)
        assert found == code, said
        return said


@contextmanager
def open_program() -> Iterator[GrafanaProgram]:
    """Start the process; without the library the test is skipped, which in CI is a failure."""
    library = find_grafana_client()
    if library is None:
        pytest.skip("grafana-client is missing here: `make services` gets it")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, _put_on_path, (library,)) as process:
        yield GrafanaProgram(process)


def _put_on_path(library: Path) -> None:
    sys.path.insert(0, str(library))


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    from mltrace_otel.cli.main import main  # noqa: PLC0415 - the path comes first

    os.environ.update(environment)
    sys.argv = ["mltrace", "grafana", *arguments]
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main()
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    finally:
        for name in environment:
            del os.environ[name]
    return 0, said.getvalue()
