"""Routes about component runs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from mltrace_exporter.api.parameters import Limit, Text
from mltrace_exporter.queries import runs
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import Run, RunPage

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("")
def list_runs(
    connection: Reading,
    component: Annotated[Text | None, Query(description="Only runs of this component.")] = None,
    tag: Annotated[Text | None, Query(description="Only runs of components with this tag.")] = None,
    limit: Limit = 20,
    before: Annotated[
        Text | None, Query(description="`next_cursor` of the page before, to get the next one.")
    ] = None,
) -> RunPage:
    """List runs, newest first."""
    return runs.list_runs(connection, component=component, tag=tag, limit=limit, before=before)


@router.get("/{ref}")
def get_run(
    connection: Reading,
    ref: Annotated[Text, Path(description="Its number, or a unique beginning of its span id.")],
) -> Run:
    """Answer with everything that is known about one run."""
    return runs.get_run(connection, ref)
