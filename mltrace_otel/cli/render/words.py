"""Values as words for people: times, durations, sizes, status, names that are safe to print."""

import shlex
from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from mltrace_otel.contract.api import Execution, RunSummary, TestVerdict
from mltrace_otel.contract.outcomes import TestStatus

_MINUTE_S, _HOUR_S, _DAY_S, _YEAR_S = 60, 3600, 86400, 365 * 86400
_UNITS = (
    ("s", 1, _MINUTE_S),
    ("min", _MINUTE_S, _HOUR_S),
    ("h", _HOUR_S, 2 * _DAY_S),
    ("days", _DAY_S, 2 * _YEAR_S),
)

_EXECUTION_STYLES = {
    Execution.OK: "green",
    Execution.ERROR: "bold red",
    Execution.RUNNING: "cyan",
    Execution.ABORTED: "bold magenta",
}
_TEST_STYLES = {
    TestVerdict.PASSED: "green",
    TestVerdict.FAILED: "bold red",
    TestVerdict.NONE: "dim",
}
_FOUND = {
    TestStatus.PASS: Text("passed", style="green"),
    TestStatus.FAIL: Text("failed", style="bold red"),
    TestStatus.ERROR: Text("error", style="bold magenta"),
    TestStatus.SKIP: Text("skipped", style="yellow"),
}
_TEST_PHRASES = {
    TestVerdict.PASSED: "tests passed",
    TestVerdict.FAILED: "tests failed",
    TestVerdict.NONE: "no tests",
}


def printable(text: str, *, keep: str = "") -> str:
    """Return ``text`` with its control characters spelt out, but for those in ``keep``.

    A name must not be able to move the cursor or turn the writing around.
    """
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


def block(text: str) -> str:
    """Return text of several lines, safe to print."""
    return printable(text.replace("\r\n", "\n"), keep="\n\t")


def command(*words: str) -> Text:
    """Return a line that can be typed into a shell."""
    return Text(printable(shlex.join(("mltrace", *words))), style="bold")


def count(number: int, noun: str) -> str:
    """Return e.g. "1 run" or "1,200 runs"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago ``moment`` was, e.g. "3 min ago"."""
    if moment is None:
        return "never"
    passed_s = (now - moment).total_seconds()
    if passed_s < 0:
        return f"in {_amount(-passed_s)}"
    return f"{_amount(passed_s)} ago"


def _amount(seconds: float) -> str:
    for unit, unit_s, limit_s in _UNITS:
        if seconds < limit_s:
            return f"{seconds // unit_s:.0f} {unit}"
    return f"{seconds // _YEAR_S:.0f} years"


def exact(moment: datetime) -> str:
    """Return a time in this machine's zone, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def took(duration_s: float | None) -> str:
    """Return a duration with two or three digits, e.g. "340 ms" or "3 min 20 s"."""
    if duration_s is None:
        return "-"
    if duration_s < 1:
        return f"{duration_s * 1000:.3g} ms"
    if duration_s < _MINUTE_S:
        return f"{duration_s:.3g} s"
    if duration_s < _HOUR_S:
        return f"{duration_s // _MINUTE_S:.0f} min {duration_s % _MINUTE_S:.0f} s"
    return f"{duration_s // _HOUR_S:.0f} h {duration_s % _HOUR_S // _MINUTE_S:.0f} min"


def size(size_bytes: int) -> str:
    """Return a size in bytes, kB, MB or GB."""
    for unit, unit_bytes in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.3g} {unit}"
    return count(size_bytes, "byte")


def execution(run: RunSummary) -> Text:
    """Return the first part of a run's status."""
    return Text(run.execution, style=_EXECUTION_STYLES[run.execution])


def tests(run: RunSummary) -> Text:
    """Return the second part."""
    return Text(run.tests, style=_TEST_STYLES[run.tests])


def found(status: str) -> Text:
    """Return how one test ended."""
    known = _FOUND.get(TestStatus(status)) if status in {*TestStatus} else None
    return known.copy() if known else Text(printable(status))


def freshness(run: RunSummary) -> Text:
    """Return the third part."""
    return Text("stale", style="bold yellow") if run.stale else Text("fresh", style="green")


def status(run: RunSummary) -> Text:
    """Return the three parts in one line, e.g. "ok · tests failed · stale"."""
    verdict = Text(_TEST_PHRASES[run.tests], style=_TEST_STYLES[run.tests])
    separator = (" · ", "dim")
    return Text.assemble(execution(run), separator, verdict, separator, freshness(run))


def warnings(sentences: Iterable[str]) -> list[Text]:
    """Return a line with a mark for each sentence."""
    return [Text(f"! {printable(sentence)}", style="yellow") for sentence in sentences]
