"""Routes about component runs, and notes on them."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import AfterValidator

from mltrace_exporter import marks
from mltrace_exporter.api.examples import answers, exemplify
from mltrace_exporter.api.parameters import Limit, Moment, Text, check_texts
from mltrace_exporter.api.problems import MAY_BE_FORBIDDEN, MAY_BE_MISSING
from mltrace_exporter.queries import comparison, distributions, drift, notes, runs
from mltrace_exporter.web import Reading, Writing
from mltrace_otel.contract.api import (
    DEFAULT_REFERENCE,
    REFERENCE_FORM,
    Comparison,
    Drift,
    Note,
    NotePage,
    NoteRequest,
    Run,
    RunCount,
    RunOrder,
    RunPage,
    RunProfile,
    RunStatus,
)

router = APIRouter(prefix="/runs", tags=["runs"], responses=MAY_BE_MISSING)

SKIP_LIMIT = 10_000_000

Ref = Annotated[
    Text,
    Path(description="Its number, or a unique beginning of its span id.", examples=["42"]),
]


def _select(  # noqa: PLR0913, PLR0917 - each is a filter
    component: Annotated[Text | None, Query(description="Only runs of this component.")] = None,
    tag: Annotated[Text | None, Query(description="Only runs of components with this tag.")] = None,
    owner: Annotated[
        Text | None, Query(description="Only runs of components of this owner.")
    ] = None,
    partition: Annotated[
        Text | None, Query(description="Only runs about this part of the data.")
    ] = None,
    status: Annotated[
        RunStatus | None, Query(description="Only runs that ended so, or whose tests failed.")
    ] = None,
    since: Annotated[
        Moment | None, Query(description="Only runs that began then or later (ISO 8601).")
    ] = None,
    until: Annotated[
        Moment | None, Query(description="Only runs that began before (ISO 8601).")
    ] = None,
    *,
    flagged: Annotated[
        bool, Query(description="Only runs with an output that is flagged now.")
    ] = False,
    order: Annotated[RunOrder, Query(description="Which run comes first.")] = RunOrder.NEWEST,
    skip: Annotated[
        int,
        Query(
            ge=0,
            le=SKIP_LIMIT,
            description="How many runs to leave out first. To read page after page, use `before`.",
        ),
    ] = 0,
) -> runs.Selection:
    return runs.Selection(
        component=component,
        tag=tag,
        owner=owner,
        partition=partition,
        status=status,
        since=since,
        until=until,
        flagged=flagged,
        order=order,
        skip=skip,
    )


Selected = Annotated[runs.Selection, Depends(_select)]


def _check_note(request: NoteRequest) -> NoteRequest:
    if not request.text.strip():
        raise ValueError("text: say something")
    check_texts(text=request.text, author=request.author)
    return request


@router.get("", responses=answers(RunPage))
def list_runs(
    connection: Reading,
    selected: Selected,
    limit: Limit = 20,
    before: Annotated[
        Text | None,
        Query(
            description="`next_cursor` of the page before, to get the next one; or a run's number."
        ),
    ] = None,
) -> RunPage:
    """List runs, newest first if nothing else is asked."""
    return runs.list_runs(connection, selected, limit=limit, before=before)


@router.get("/count", responses=answers(RunCount))
def count_runs(connection: Reading, selected: Selected) -> RunCount:
    """Count runs."""
    return runs.count_selected(connection, selected)


@router.get("/{ref}", responses=answers(Run))
def get_run(connection: Reading, ref: Ref) -> Run:
    """Answer with everything that is known about one run."""
    return runs.get_run(connection, ref)


@router.get("/{ref}/changes", responses=answers(Comparison))
def list_changes(
    connection: Reading,
    ref: Ref,
    since: Annotated[
        Text | None,
        Query(description="The run to compare it to; if not said, its component's run before."),
    ] = None,
) -> Comparison:
    """Answer with what differs between a run and an earlier one, of any component."""
    if since is None:
        return comparison.compare_to_before(connection, ref)
    return comparison.compare_runs(connection, since, ref)


@router.get("/{ref}/profiles", responses=answers(list[RunProfile]))
def list_run_profiles(connection: Reading, ref: Ref) -> list[RunProfile]:
    """List how a run's inputs and outputs were distributed, outputs first."""
    return distributions.list_run_profiles(connection, ref)


@router.get("/{ref}/drift", responses=answers(Drift))
def tell_drift(
    connection: Reading,
    ref: Ref,
    reference: Annotated[
        str,
        Query(
            pattern=REFERENCE_FORM,
            description="What the run is compared with: `previous`, the run before of its "
            "component and partition; `last:N`, the N runs before; `run:ID`, one run; `built-on`, "
            "what the runs that it depends on were built on.",
        ),
    ] = DEFAULT_REFERENCE,
) -> Drift:
    """Answer with what became of a run's variables since earlier runs."""
    return drift.tell_drift(connection, ref, reference)


@router.get("/{ref}/notes", responses=answers(NotePage))
def list_notes(
    connection: Reading,
    ref: Ref,
    limit: Limit = 20,
    before: Annotated[
        Text | None, Query(description="`next_cursor` of the page before, to get the next one.")
    ] = None,
) -> NotePage:
    """List the notes about a run, newest first; the one that it brought along is the last."""
    return notes.list_notes(connection, ref, limit=limit, before=before)


@router.post("/{ref}/notes", responses={**answers(Note), **MAY_BE_FORBIDDEN})
def write_note(
    connection: Writing,
    ref: Ref,
    request: Annotated[
        NoteRequest, Body(examples=[exemplify(NoteRequest)]), AfterValidator(_check_note)
    ],
) -> Note:
    """Keep a note about a run. The notes that are there stay."""
    return marks.write_note(connection, ref, request)
