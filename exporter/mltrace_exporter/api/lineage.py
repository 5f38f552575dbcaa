"""Routes about where outputs come from."""

from typing import Annotated

from fastapi import APIRouter, Query

from mltrace_exporter.api.parameters import Text
from mltrace_exporter.queries import lineage
from mltrace_exporter.web import Reading
from mltrace_otel.contract.api import Trace

router = APIRouter(tags=["lineage"])


@router.get("/trace")
def trace_output(
    connection: Reading,
    output: Annotated[Text, Query(description="Name of the output.")],
) -> Trace:
    """Answer with the run that last wrote an output, and everything upstream of it."""
    return lineage.trace_output(connection, output)
