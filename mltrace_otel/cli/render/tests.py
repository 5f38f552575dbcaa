"""What a component's tests found, run by run."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import takewhile

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import Fitted, Name, lines, section, table
from mltrace_otel.cli.render.words import ago, block, command, count, found, printable, took
from mltrace_otel.contract.api import CaseHistory, Trial
from mltrace_otel.contract.outcomes import TestStatus

_WIDE = 100
_MARKS = {
    TestStatus.PASS: ".",
    TestStatus.FAIL: "F",
    TestStatus.ERROR: "E",
    TestStatus.SKIP: "s",
}
_WRONG = frozenset({TestStatus.FAIL, TestStatus.ERROR})
_LEGEND = (
    "Runs from old to new: . passed, F failed, E could not be run, s skipped, - not among them"
)


def render_tests(tests: Sequence[CaseHistory], now: datetime) -> RenderableType:
    """Return a table of tests, and what those say that did not pass."""
    if not tests:
        return lines(
            "None of its newest runs had a test. Component(..., afterTests=[...]) gives it some."
        )
    runs = sorted({(each.started_at, each.run_id) for test in tests for each in test.trials})
    order = [run_id for _, run_id in runs]
    parts: list[RenderableType] = [
        Fitted(lambda width: _tabulate(tests, order, now, width)),
        Text(_LEGEND, style="dim"),
    ]
    telling = [test for test in tests if test.trials[0].status != TestStatus.PASS]
    telling.sort(key=lambda test: test.trials[0].status not in _WRONG)
    if telling:
        parts.append(section("What they say", Group(*_explain(telling, order[0], now))))
    parts.append(section("Next", command("inspect", str(order[-1]))))
    return Group(*parts)


def _tabulate(tests: Sequence[CaseHistory], runs: list[int], now: datetime, width: int) -> Table:
    is_wide = width >= _WIDE
    built = table("Test", "Phase", "Newest", *([">Took", "When"] if is_wide else []), ">Runs")
    shown = runs[-max(10, width // 4) :]
    for test in tests:
        newest = test.trials[0]
        times = (took(newest.duration_s), ago(newest.started_at, now)) if is_wide else ()
        built.add_row(
            Name(f"{test.suite}.{test.case}"),
            printable(test.phase),
            found(newest.status),
            *times,
            _draw(test, shown),
        )
    return built


def _draw(test: CaseHistory, runs: Sequence[int]) -> Text:
    """Return one mark for each run, the newest at the right."""
    ended = {trial.run_id: trial.status for trial in test.trials}
    strip = Text(no_wrap=True)
    for run in runs:
        status = ended.get(run)
        style = found(status).style if status else "dim"
        strip.append(_MARKS.get(TestStatus(status), "?") if status else "-", style=style)
    return strip


def _explain(tests: Sequence[CaseHistory], oldest: int, now: datetime) -> Iterator[RenderableType]:
    for test in tests:
        newest = test.trials[0]
        verdict = found(newest.status)
        line = Text(printable(f"{test.suite}.{test.case}"), overflow="fold")
        line.append(f" ({printable(test.phase)}) ", style="dim").append_text(verdict)
        line.append(f" · {_date(test, oldest, now)}", style="dim")
        if newest.message:
            line.append(f"\n  {block(newest.message)}", style=verdict.style)
        yield line


def _date(test: CaseHistory, oldest: int, now: datetime) -> str:
    """Say in which run a test ended so, or since which it has not passed."""
    newest = test.trials[0]
    if newest.status not in _WRONG:
        return f"run {newest.run_id}, {ago(newest.started_at, now)}"
    streak: list[Trial] = list(takewhile(lambda each: each.status != TestStatus.PASS, test.trials))
    wrong = [trial for trial in streak if trial.status in _WRONG]
    first = wrong[-1]
    if len(wrong) == 1:
        return f"first in run {first.run_id}, {ago(first.started_at, now)}"
    since = "at least since" if streak[-1].run_id == oldest else "since"
    runs = count(len(wrong), "run")
    return f"in {runs}, {since} run {first.run_id}, {ago(first.started_at, now)}"
