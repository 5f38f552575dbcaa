"""What became of a run's variables, for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import Name, lines, section, table
from mltrace_otel.cli.render.words import command, count, printable, warnings
from mltrace_otel.contract.api import Drift, VariableDrift
from mltrace_otel.profiles.verdicts import ColumnDrift

_COLUMNS_SHOWN = 20
_RUNS_SHOWN = 5


def render_drift(drift: Drift, _now: datetime) -> RenderableType:
    """Return a table of columns for each variable, and what drifted in sentences."""
    if not drift.variables:
        return lines(
            f"Nothing that run {drift.run_id} profiled can be compared: there is no earlier "
            "profile of the same variable."
        )
    parts = [part for each in drift.variables for part in _show(each)]
    return Group(*parts, section("Next", command("inspect", str(drift.run_id))))


def _show(variable: VariableDrift) -> Iterator[RenderableType]:
    head = Text(f"{printable(variable.variable)} ", style="bold", overflow="fold")
    whose = f"of {printable(variable.component)} (run {variable.run_id}) "
    head.append(whose, style="not bold")
    verdict, style = ("drifted", "bold red") if variable.drift.drifted else ("no drift", "green")
    head.append(verdict, style=style)
    yield head
    yield Text(f"{_say_reference(variable)}", style="dim", overflow="fold")
    columns = sorted(variable.drift.columns, key=lambda each: (not each.drifted, -(each.psi or 0)))
    if columns:
        yield _tabulate(columns[:_COLUMNS_SHOWN])
    if len(columns) > _COLUMNS_SHOWN:
        yield Text(f"and {len(columns) - _COLUMNS_SHOWN:,} more columns", style="dim")
    yield from warnings(map(printable, variable.sentences))
    yield ""


def _say_reference(variable: VariableDrift) -> str:
    ids = variable.reference_ids
    named = ", ".join(map(str, ids[-_RUNS_SHOWN:]))
    hidden = "..., " if len(ids) > _RUNS_SHOWN else ""
    built = "" if variable.builder_id is None else f", which run {variable.builder_id} was built on"
    rows = f"{count(variable.rows, 'row')} against {variable.reference_rows:,}"
    return f"{rows} of {count(len(ids), 'run')} ({hidden}{named}){built}"


def _tabulate(columns: Sequence[ColumnDrift]) -> Table:
    built = table("Column", "Kind", ">PSI", ">KS", ">JS", "Verdict")
    for each in columns:
        verdict = Text("drifted", style="bold red") if each.drifted else Text("-", style="dim")
        built.add_row(
            Name(each.column or "(values)"),
            each.kind,
            *map(_number, (each.psi, each.ks, each.jensen_shannon)),
            verdict,
        )
    return built


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
