"""Routes about flagged outputs: list, flag, resolve, and the review of what they have in common."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import AfterValidator

from mltrace_exporter import marks
from mltrace_exporter.api.parameters import Limit, refuse_nul
from mltrace_exporter.queries import flags, review
from mltrace_exporter.web import Reading, Writing
from mltrace_otel.contract.api import (
    Flag,
    FlagChange,
    FlagRequest,
    Review,
    ReviewSort,
    UnflagRequest,
)

router = APIRouter(tags=["flags"])

OUTPUT_LIMIT = 10_000


def _check_texts(outputs: list[str], others: Iterable[str | None]) -> None:
    if len(outputs) > OUTPUT_LIMIT:
        raise ValueError(f"outputs: at most {OUTPUT_LIMIT:,} in one request")
    for text in (*outputs, *others):
        refuse_nul(text or "")


def _check_flag(request: FlagRequest) -> FlagRequest:
    if not request.outputs:
        raise ValueError("outputs: name at least one output")
    _check_texts(request.outputs, (request.reason, request.by))
    return request


def _check_unflag(request: UnflagRequest) -> UnflagRequest:
    if bool(request.outputs) == request.all:
        raise ValueError('give either "outputs", or "all": true')
    _check_texts(request.outputs, (request.resolution, request.by))
    return request


@router.get("/flags")
def list_flags(connection: Reading, limit: Limit = 20) -> list[Flag]:
    """List the outputs that are flagged now, newest flag first."""
    return flags.list_flags(connection, limit=limit)


@router.post("/flags")
def flag_outputs(
    connection: Writing, request: Annotated[FlagRequest, Body(), AfterValidator(_check_flag)]
) -> FlagChange:
    """Flag outputs that somebody found wrong. If one is unknown, none is flagged."""
    return marks.flag_outputs(connection, request)


@router.post("/flags/resolve")
def resolve_flags(
    connection: Writing, request: Annotated[UnflagRequest, Body(), AfterValidator(_check_unflag)]
) -> FlagChange:
    """Resolve the flags of some outputs, or of all. The flags are kept as history."""
    return marks.resolve_flags(connection, request)


@router.get("/review")
def review_flags(
    connection: Reading, sort: ReviewSort = ReviewSort.COVERAGE, limit: Limit = 20
) -> Review:
    """Rank the runs that the flagged outputs have in common."""
    return review.review_flags(connection, sort=sort, limit=limit)
