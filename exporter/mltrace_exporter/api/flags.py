"""Routes about flagged outputs: list, flag, resolve, and the review of what they have in common."""

from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import AfterValidator, Field

from mltrace_exporter import marks
from mltrace_exporter.api.examples import answers, exemplify
from mltrace_exporter.api.parameters import Limit, Text, check_names, check_texts
from mltrace_exporter.api.problems import MAY_BE_FORBIDDEN, MAY_BE_MISSING
from mltrace_exporter.queries import flags, review
from mltrace_exporter.web import Reading, Writing
from mltrace_otel.contract.api import (
    FLAG_LIMIT,
    Flag,
    FlagChange,
    FlagRequest,
    FlagState,
    Review,
    ReviewSort,
    UnflagRequest,
)

router = APIRouter(tags=["flags"])

OUTPUT_LIMIT = 10_000
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]


def _check_outputs(outputs: list[str]) -> None:
    if len(outputs) > OUTPUT_LIMIT:
        raise ValueError(f"outputs: at most {OUTPUT_LIMIT:,} in one request")
    check_names(outputs)


def _check_flag(request: FlagRequest) -> FlagRequest:
    if not request.outputs:
        raise ValueError("outputs: name at least one output")
    _check_outputs(request.outputs)
    check_texts(reason=request.reason, by=request.by)
    return request


def _check_unflag(request: UnflagRequest) -> UnflagRequest:
    if bool(request.outputs) == request.all:
        raise ValueError('give either "outputs", or "all": true')
    _check_outputs(request.outputs)
    check_texts(resolution=request.resolution, by=request.by)
    return request


@router.get("/flags", responses=answers(list[Flag]))
def list_flags(
    connection: Reading,
    state: Annotated[FlagState, Query(description="Which flags.")] = FlagState.OPEN,
    output: Annotated[Text | None, Query(description="Only flags of this output.")] = None,
    before: Annotated[
        int | None,
        Query(
            ge=0,
            le=2**63 - 1,
            description="The last `id` of the page before, to get the flags that follow.",
        ),
    ] = None,
    limit: Limit = 20,
) -> list[Flag]:
    """List flags, newest first; those that are open if nothing else is asked."""
    return flags.list_flags(connection, state=state, output=output, before=before, limit=limit)


@router.post("/flags", responses={**answers(FlagChange), **MAY_BE_MISSING, **MAY_BE_FORBIDDEN})
def flag_outputs(
    connection: Writing,
    request: Annotated[
        FlagRequest, Body(examples=[exemplify(FlagRequest)]), AfterValidator(_check_flag)
    ],
) -> FlagChange:
    """Flag outputs that somebody found wrong. If one is unknown, none is flagged."""
    return marks.flag_outputs(connection, request)


@router.post(
    "/flags/resolve", responses={**answers(FlagChange), **MAY_BE_MISSING, **MAY_BE_FORBIDDEN}
)
def resolve_flags(
    connection: Writing,
    request: Annotated[
        UnflagRequest, Body(examples=[exemplify(UnflagRequest)]), AfterValidator(_check_unflag)
    ],
) -> FlagChange:
    """Resolve the flags of some outputs, or of all. The flags are kept as history."""
    return marks.resolve_flags(connection, request)


@router.get("/review", responses=answers(Review))
def review_flags(
    connection: Reading,
    sort: Annotated[ReviewSort, Query(description="What comes first.")] = ReviewSort.COVERAGE,
    only: Annotated[
        list[Id],
        Query(max_length=FLAG_LIMIT, description="Ids of the open flags that count, if not all."),
    ] = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 20,
) -> Review:
    """Rank the runs that the flagged outputs have in common."""
    return review.review_flags(connection, sort=sort, only=only, limit=limit)
