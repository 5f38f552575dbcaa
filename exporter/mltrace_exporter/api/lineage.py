"""Routes about where outputs come from, what was made from them, and who used a pointer."""

from typing import Annotated

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Response

from mltrace_exporter.api.examples import answers
from mltrace_exporter.api.parameters import Depth, Limit, RunLimit, Text
from mltrace_exporter.api.problems import MAY_BE_MISSING
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.queries import lineage, pointers
from mltrace_exporter.queries.collapse import collapse
from mltrace_exporter.queries.lineage import Reach
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import TRACE_LIMIT, ComponentTrace, PointerHistory, Trace

router = APIRouter(tags=["lineage"], responses=MAY_BE_MISSING)

Output = Annotated[
    Text | None, Query(description="Name of the output; or give `run`.", examples=["model.joblib"])
]
Run = Annotated[Text | None, Query(description="Number or span id of the run; or give `output`.")]
Before = Annotated[Text | None, Query(description="The cursor of the page before.")]


@router.get("/trace", response_model=Trace, responses=answers(Trace))
def trace(
    connection: Reading,
    output: Output = None,
    run: Run = None,
    depth: Depth = None,
    limit: RunLimit = TRACE_LIMIT,
) -> Response:
    """Answer with a run, or the one that last wrote an output, and everything upstream of it."""
    return _write(_trace(connection, output, run, Reach(depth, limit)))


@router.get("/trace/components", responses=answers(ComponentTrace))
def trace_components(
    connection: Reading,
    output: Output = None,
    run: Run = None,
    depth: Depth = None,
    limit: RunLimit = TRACE_LIMIT,
) -> ComponentTrace:
    """Answer as `/api/trace` does, with the runs of each component taken together."""
    return collapse(_trace(connection, output, run, Reach(depth, limit)))


@router.get("/impact", response_model=Trace, responses=answers(Trace))
def impact(
    connection: Reading,
    output: Output = None,
    run: Run = None,
    depth: Depth = None,
    limit: RunLimit = TRACE_LIMIT,
) -> Response:
    """Answer with a run, or the one that last wrote an output, and everything made from it."""
    return _write(_impact(connection, output, run, Reach(depth, limit)))


@router.get("/impact/components", responses=answers(ComponentTrace))
def impact_components(
    connection: Reading,
    output: Output = None,
    run: Run = None,
    depth: Depth = None,
    limit: RunLimit = TRACE_LIMIT,
) -> ComponentTrace:
    """Answer as `/api/impact` does, with the runs of each component taken together."""
    return collapse(_impact(connection, output, run, Reach(depth, limit)))


@router.get("/pointers/{name:any}", responses=answers(PointerHistory))
def get_pointer(
    connection: Reading,
    name: Annotated[Text, Path(description="Its name.", examples=["models/delay.joblib"])],
    versions_before: Before = None,
    readers_before: Before = None,
    limit: Limit = 20,
) -> PointerHistory:
    """Answer with who wrote a pointer, who read it, and its flags, newest first."""
    return pointers.get_pointer(
        connection,
        name,
        versions_before=versions_before,
        readers_before=readers_before,
        limit=limit,
    )


def _trace(connection: sa.Connection, output: str | None, run: str | None, reach: Reach) -> Trace:
    _require_one(output, run)
    if output is not None:
        return lineage.trace_output(connection, output, reach)
    return lineage.trace_run(connection, run or "", reach)


def _impact(connection: sa.Connection, output: str | None, run: str | None, reach: Reach) -> Trace:
    _require_one(output, run)
    if output is not None:
        return lineage.impact_output(connection, output, reach)
    return lineage.impact_run(connection, run or "", reach)


def _require_one(output: str | None, run: str | None) -> None:
    if (output is None) == (run is None):
        raise MalformedRequest("Say what to begin at: give either `output` or `run`.")


def _write(answer: Trace) -> Response:
    """Write what may be megabytes; FastAPI would take three times as long, and let others wait."""
    return Response(msgspec.json.encode(answer), media_type="application/json")
