"""All columns of a variable of a run, of which the run's page shows the first."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from mltrace_exporter.errors import NotFound
from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.variables import Variable, show_variables
from mltrace_exporter.panel.visits import Name, Visiting
from mltrace_exporter.queries import runs
from mltrace_exporter.queries.distributions import list_run_profiles
from mltrace_exporter.queries.drift import compare_run
from mltrace_otel.contract.api import DEFAULT_REFERENCE

PAGE_SIZE = 48

router = APIRouter()
Start = Annotated[int, Query(ge=0, le=1_000_000)]
Id = Annotated[int, Query(ge=0, le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class DataContext:
    """Some columns of a variable; ``since`` is the run they stand beside, where one was chosen."""

    frame: Frame
    variable: Variable
    since: int | None


@router.get(links.DATA)
def show_data(  # noqa: PLR0913, PLR0917 - which columns
    visit: Visiting,
    ref: str,
    direction: Name,
    variable: Name,
    start: Start = 0,
    since: Id | None = None,
) -> HTMLResponse:
    """Show the columns of a variable, those that drifted first."""
    run_id = runs.find_run(visit.connection, ref)
    profiles = [
        each
        for each in list_run_profiles(visit.connection, str(run_id))
        if (each.direction, each.variable) == (direction, variable)
    ]
    reference = DEFAULT_REFERENCE if since is None else f"run:{since}"
    compared = compare_run(visit.connection, run_id, reference)
    shown = [each for each in show_variables(profiles, compared, start, PAGE_SIZE) if each.columns]
    if not shown:
        raise NotFound(f"Run {run_id} has no such columns of {variable!r}.")
    return render_page(DataContext(visit.frame(f"Data of {variable}"), shown[0], since))
