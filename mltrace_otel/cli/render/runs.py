"""Lists of runs: the newest of all components, and one component's history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import Fitted, Name, lines, names, table
from mltrace_otel.cli.render.words import (
    ago,
    command,
    execution,
    freshness,
    printable,
    status,
    tests,
    took,
)
from mltrace_otel.contract.api import RunPage, RunSummary

_NARROW, _WIDE, _WIDER = 60, 100, 130
_HASH_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is there from a width of ``least_width`` on."""

    title: str
    cell: Callable[[RunSummary, datetime], RenderableType]
    least_width: int = 0


_ID = _Column(">ID", lambda run, _: str(run.id))
_COMPONENT = _Column("Component", lambda run, _: Name(run.component))
_STARTED = _Column("Started", lambda run, now: ago(run.started_at, now))
_COMMIT = _Column("Commit", lambda run, _: printable(run.git_hash or "-")[:_HASH_LENGTH])
_PARTITION = _Column("Partition", lambda run, _: Name(run.partition or "-"), _WIDE)
_REST = (
    _Column(">Took", lambda run, _: took(run.duration_s), _WIDE),
    _Column("Run", lambda run, _: execution(run)),
    _Column("Tests", lambda run, _: tests(run)),
    _Column("Data", lambda run, _: freshness(run)),
    _Column("Inputs", lambda run, _: names(run.inputs, run.input_count), _WIDER),
    _Column("Outputs", lambda run, _: names(run.outputs, run.output_count)),
)


def render_recent(page: RunPage, now: datetime) -> RenderableType:
    """Return a table of runs of any component."""
    if not page.items:
        return lines(
            "No run is recorded yet.",
            'Decorate a function with @Component("name", "owner").run() and call it, or try:',
            Text("  ").append_text(command("demo")),
        )
    return _list(page, (_ID, _COMPONENT, _STARTED, *_REST), now)


def render_history(page: RunPage, now: datetime) -> RenderableType:
    """Return a table of the runs of one component."""
    if not page.items:
        return lines("This component has no run.")
    title = Text(printable(page.items[0].component), style="bold", overflow="fold")
    return Group(title, _list(page, (_ID, _STARTED, _PARTITION, _COMMIT, *_REST), now))


def _list(page: RunPage, columns: Sequence[_Column], now: datetime) -> RenderableType:
    runs = Fitted(
        lambda width: (
            _stack(page.items, now)
            if width < _NARROW
            else _tabulate(page.items, columns, now, width)
        )
    )
    if page.next_cursor is None:
        return runs
    return Group(runs, Text("There are older ones: --limit shows more.", style="dim"))


def _stack(runs: Sequence[RunSummary], now: datetime) -> RenderableType:
    parts = []
    for run in runs:
        head = Text.assemble(f"{run.id} ", (printable(run.component), "bold"), overflow="fold")
        parts += [head, status(run), Text(ago(run.started_at, now), style="dim"), Text()]
    return lines(*parts)


def _tabulate(
    runs: Sequence[RunSummary], columns: Sequence[_Column], now: datetime, width: int
) -> Table:
    shown = [column for column in columns if column.least_width <= width]
    built = table(*(column.title for column in shown))
    for run in runs:
        built.add_row(*(column.cell(run, now) for column in shown))
    return built
