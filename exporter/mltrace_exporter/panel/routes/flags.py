"""Forms that flag outputs and resolve flags."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from mltrace_exporter import marks
from mltrace_exporter.panel import links
from mltrace_exporter.panel.visits import Back, Words, go_back
from mltrace_exporter.web import Writing
from mltrace_otel.contract.api import FlagRequest, UnflagRequest

router = APIRouter()


@router.post(links.FLAG)
def flag_output(
    connection: Writing, output: Words, back: Back = links.REVIEW, reason: Words = ""
) -> RedirectResponse:
    """Flag an output, then go back to the page that the form stood on."""
    marks.flag_outputs(connection, FlagRequest([output], reason.strip() or None))
    return go_back(back)


@router.post(links.UNFLAG)
def unflag_output(
    connection: Writing, output: Words, back: Back = links.REVIEW
) -> RedirectResponse:
    """Resolve the flag of an output, then go back to the page that the form stood on."""
    marks.resolve_flags(connection, UnflagRequest([output]))
    return go_back(back)
