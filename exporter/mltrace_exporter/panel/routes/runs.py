"""One run: what it did, what it was made from, what it held, what changed; and notes about it."""

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from mltrace_exporter import marks
from mltrace_exporter.panel import links
from mltrace_exporter.panel.codediff import DiffLine, compare_code
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.highlight import highlight_code
from mltrace_exporter.panel.rendering import redirect, render_page
from mltrace_exporter.panel.variables import Variable, show_variables
from mltrace_exporter.panel.visits import STORABLE, Name, Visiting, Words
from mltrace_exporter.queries import runs
from mltrace_exporter.queries.consumers import Consumers, list_consumers
from mltrace_exporter.queries.distributions import list_run_profiles
from mltrace_exporter.queries.drift import compare_run
from mltrace_exporter.web import Writing
from mltrace_otel.contract.api import NoteRequest, Run

CONSUMERS_SHOWN = 200
_NOTE_LIMIT = 20_000

router = APIRouter()
Text = Annotated[str, Form(max_length=_NOTE_LIMIT, pattern=STORABLE)]


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run.

    Attributes:
        frame: what stands around it.
        run: what is known of it.
        before: the component's run before, if there is one.
        after: the component's run after, if there is one.
        code: the highlighted snapshot.
        code_change: what differs from the snapshot of the run before; None if that is not known.
        consumers: who depends on it.
        variables: what its variables held.
        trace_url: where its trace is in Tempo or Jaeger, if that was configured.
    """

    frame: Frame
    run: Run
    before: int | None
    after: int | None
    code: Markup | None
    code_change: list[DiffLine] | None
    consumers: Consumers
    variables: list[Variable]
    trace_url: str | None


@router.get(links.RUN)
def show_run(visit: Visiting, ref: str) -> HTMLResponse:
    """Show one run with everything known about it."""
    connection = visit.connection
    run = runs.get_run(connection, ref)
    run_id = run.summary.id
    before, after = runs.find_neighbours(connection, run_id)
    return render_page(
        RunContext(
            frame=visit.frame(f"{run.summary.component} {run_id}"),
            run=run,
            before=before,
            after=after,
            code=highlight_code(run.code, run.code_file, run.code_line) if run.code else None,
            code_change=_compare_code(connection, before, run),
            consumers=list_consumers(
                connection, run_id, (each.name for each in run.outputs), CONSUMERS_SHOWN
            ),
            variables=_show_variables(connection, run),
            trace_url=_address_trace(visit.request.app.state.trace_url, run),
        )
    )


@router.get(links.ANY_RUN)
def find_run(visit: Visiting, ref: Name) -> RedirectResponse:
    """Lead to a run by its id or the beginning of its span id."""
    return redirect(links.to_run(runs.find_run(visit.connection, ref)))


@router.post(links.NOTES)
def write_note(
    connection: Writing, ref: str, text: Text = "", author: Words = ""
) -> RedirectResponse:
    """Keep a note about a run, then go back to it."""
    run_id = runs.find_run(connection, ref)
    if text.strip():
        request = NoteRequest(text.strip().replace("\r\n", "\n"), author.strip() or None)
        marks.write_note(connection, str(run_id), request)
    return redirect(f"{links.to_run(run_id)}#notes")


def _compare_code(connection: sa.Connection, before: int | None, run: Run) -> list[DiffLine] | None:
    if before is None or run.code is None:
        return None
    earlier, _ = runs.read_code(connection, before)
    return None if earlier is None else compare_code(earlier, run.code, run.code_file)


def _show_variables(connection: sa.Connection, run: Run) -> list[Variable]:
    if not run.profiles:
        return []
    profiles = list_run_profiles(connection, str(run.summary.id))
    return show_variables(profiles, compare_run(connection, run.summary.id))


def _address_trace(template: str | None, run: Run) -> str | None:
    if template is None:
        return None
    address = template.replace("{trace_id}", run.summary.trace_id)
    return address.replace("{span_id}", run.summary.span_id)
