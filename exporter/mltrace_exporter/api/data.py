"""The route that deletes everything, if the server allows it."""

from typing import Annotated

from fastapi import APIRouter, Body, Request

from mltrace_exporter import marks
from mltrace_exporter.api.examples import answers, exemplify
from mltrace_exporter.api.problems import MAY_BE_FORBIDDEN
from mltrace_exporter.errors import Forbidden
from mltrace_exporter.web import Writing
from mltrace_otel.contract.api import Cleaned, CleanRequest

router = APIRouter(tags=["data"], responses=MAY_BE_FORBIDDEN)


@router.delete("/data", responses=answers(Cleaned))
def clean(
    http: Request,
    connection: Writing,
    request: Annotated[CleanRequest, Body(examples=[exemplify(CleanRequest)])],
) -> Cleaned:
    """Delete everything that was recorded, if the very words confirm it and the server allows it.

    `mltrace up` allows it, unless it was started with `--keep-data`; `mltrace serve` does not,
    unless it was started with `--allow-clean`.
    """
    if not getattr(http.app.state, "allows_clean", False):
        raise Forbidden("This server keeps what was recorded: it was not started to allow this.")
    return marks.clean(connection, request)
