"""Two runs side by side: what changed from one to the other."""

from dataclasses import dataclass

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.codediff import DiffLine, compare_code
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.variables import Variable, show_variables
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import runs
from mltrace_exporter.queries.comparison import compare_runs
from mltrace_exporter.queries.distributions import list_run_profiles
from mltrace_exporter.queries.drift import compare_run
from mltrace_otel.contract.api import Change, Comparison

router = APIRouter()


@dataclass(frozen=True, slots=True)
class CompareContext:
    """Two runs; ``comparison`` is None as long as not both are known.

    Attributes:
        frame: what stands around it.
        before: what was asked for as the earlier run.
        after: what was asked for as the later run.
        comparison: what differs.
        code: the lines that differ, with those around them; None if one of them is not known.
        variables: what the later run's variables held, before those of the earlier.
    """

    frame: Frame
    before: str
    after: str
    comparison: Comparison | None = None
    code: list[DiffLine] | None = None
    variables: list[Variable] | None = None


@router.get(links.COMPARE)
def show_comparison(visit: Visiting, a: Name = "", b: Name = "") -> HTMLResponse:
    """Show what differs between two runs; of one alone, since its component's run before."""
    connection = visit.connection
    before = a or _find_before(connection, b)
    if not before or not b:
        return render_page(CompareContext(visit.frame("Compare two runs"), before, b))
    comparison = compare_runs(connection, before, b)
    old, new = comparison.before.id, comparison.after.id
    return render_page(
        CompareContext(
            frame=visit.frame(f"Run {old} and run {new}"),
            before=str(old),
            after=str(new),
            comparison=comparison,
            code=_compare_code(connection, comparison),
            variables=_compare_variables(connection, old, new),
        )
    )


def _find_before(connection: sa.Connection, ref: str) -> str:
    if not ref:
        return ""
    before, _ = runs.find_neighbours(connection, runs.find_run(connection, ref))
    return "" if before is None else str(before)


def _compare_code(connection: sa.Connection, comparison: Comparison) -> list[DiffLine] | None:
    if comparison.code is not Change.CHANGED:
        return [] if comparison.code is Change.SAME else None
    old, _ = runs.read_code(connection, comparison.before.id)
    new, file = runs.read_code(connection, comparison.after.id)
    return compare_code(old or "", new or "", file)


def _compare_variables(connection: sa.Connection, old: int, new: int) -> list[Variable]:
    found = compare_run(connection, new, f"run:{old}")
    return show_variables(list_run_profiles(connection, str(new)), found) if found else []
