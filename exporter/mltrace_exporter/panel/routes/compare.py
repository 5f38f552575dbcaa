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
from mltrace_exporter.queries.comparison import compare
from mltrace_exporter.queries.distributions import list_run_profiles
from mltrace_exporter.queries.drift import compare_run
from mltrace_otel.contract.api import Comparison, Run

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
    old, new = runs.get_run(connection, before), runs.get_run(connection, b)
    return render_page(
        CompareContext(
            frame=visit.frame(f"Run {old.summary.id} and run {new.summary.id}"),
            before=str(old.summary.id),
            after=str(new.summary.id),
            comparison=compare(old, new),
            code=_compare_code(old, new),
            variables=_compare_variables(connection, old, new),
        )
    )


def _find_before(connection: sa.Connection, ref: str) -> str:
    if not ref:
        return ""
    before, _ = runs.find_neighbours(connection, runs.find_run(connection, ref))
    return "" if before is None else str(before)


def _compare_code(old: Run, new: Run) -> list[DiffLine] | None:
    if old.code is None or new.code is None:
        return None
    return compare_code(old.code, new.code, new.code_file)


def _compare_variables(connection: sa.Connection, old: Run, new: Run) -> list[Variable]:
    if not (old.profiles and new.profiles):
        return []
    profiles = list_run_profiles(connection, str(new.summary.id))
    reference = f"run:{old.summary.id}"
    return show_variables(profiles, compare_run(connection, new.summary.id, reference))
