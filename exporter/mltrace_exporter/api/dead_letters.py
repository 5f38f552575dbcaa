"""The route about spans that could not be stored."""

from typing import Annotated

from fastapi import APIRouter, Query

from mltrace_exporter.api.examples import answers
from mltrace_exporter.api.parameters import Limit
from mltrace_exporter.queries import dead_letters
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import DeadLetterPage

router = APIRouter(tags=["operations"])


@router.get("/dead-letters", responses=answers(DeadLetterPage))
def list_dead_letters(
    connection: Reading,
    before: Annotated[
        int | None,
        Query(ge=0, le=2**63 - 1, description="`next_cursor` of the page before."),
    ] = None,
    limit: Limit = 20,
) -> DeadLetterPage:
    """List spans that were received and could not be stored, newest first."""
    return dead_letters.list_dead_letters(connection, before=before, limit=limit)
