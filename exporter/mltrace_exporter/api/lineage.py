"""Routes about where outputs come from, what was made from them, and who used a pointer."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Response

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

Before = Annotated[Text | None, Query(description="The cursor of the page before.")]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a lineage begins, and how far it is followed: what the four routes about it are asked.

    Raises:
        MalformedRequest: not exactly one of output and run is given.
    """

    output: Annotated[
        Text | None,
        Query(description="Name of the output; or give `run`.", examples=["model.joblib"]),
    ] = None
    run: Annotated[
        Text | None, Query(description="Number or span id of the run; or give `output`.")
    ] = None
    depth: Depth = None
    limit: RunLimit = TRACE_LIMIT

    def __post_init__(self) -> None:
        """Refuse what begins nowhere, or at two places."""
        if (self.output is None) == (self.run is None):
            raise MalformedRequest("Say what to begin at: give either `output` or `run`.")

    def trace(self, connection: sa.Connection) -> Trace:
        """Return what is upstream."""
        reach = Reach(self.depth, self.limit)
        if self.output is not None:
            return lineage.trace_output(connection, self.output, reach)
        return lineage.trace_run(connection, self.run or "", reach)

    def impact(self, connection: sa.Connection) -> Trace:
        """Return what is downstream."""
        reach = Reach(self.depth, self.limit)
        if self.output is not None:
            return lineage.impact_output(connection, self.output, reach)
        return lineage.impact_run(connection, self.run or "", reach)


Asked = Annotated[Beginning, Depends()]


@router.get("/trace", response_model=Trace, responses=answers(Trace))
def trace(asked: Asked, connection: Reading) -> Response:
    """Answer with a run, or the one that last wrote an output, and everything upstream of it."""
    return _write(asked.trace(connection))


@router.get("/trace/components", responses=answers(ComponentTrace))
def trace_components(asked: Asked, connection: Reading) -> ComponentTrace:
    """Answer as `/api/trace` does, with the runs of each component taken together."""
    return collapse(asked.trace(connection))


@router.get("/impact", response_model=Trace, responses=answers(Trace))
def impact(asked: Asked, connection: Reading) -> Response:
    """Answer with a run, or the one that last wrote an output, and everything made from it."""
    return _write(asked.impact(connection))


@router.get("/impact/components", responses=answers(ComponentTrace))
def impact_components(asked: Asked, connection: Reading) -> ComponentTrace:
    """Answer as `/api/impact` does, with the runs of each component taken together."""
    return collapse(asked.impact(connection))


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


def _write(answer: Trace) -> Response:
    """Write what may be megabytes; FastAPI would take three times as long, and let others wait."""
    return Response(msgspec.json.encode(answer), media_type="application/json")
