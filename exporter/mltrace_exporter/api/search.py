"""The route that finds things by words."""

from typing import Annotated

from fastapi import APIRouter, Query

from mltrace_exporter.api.examples import answers
from mltrace_exporter.api.parameters import Limit, Text
from mltrace_exporter.queries import search as queries
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import SearchAnswer

router = APIRouter(tags=["search"])


@router.get("/search", responses=answers(SearchAnswer))
def search(
    connection: Reading,
    q: Annotated[
        Text,
        Query(max_length=1000, description="Words, or how a name begins.", examples=["flights"]),
    ],
    limit: Limit = 20,
) -> SearchAnswer:
    """Find components, names of inputs and outputs, and notes."""
    return queries.search(connection, q, limit=limit)
