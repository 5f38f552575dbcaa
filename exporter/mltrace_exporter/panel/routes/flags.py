"""Flagged outputs, and the forms that flag outputs and resolve flags."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Form, Query, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BeforeValidator

from mltrace_exporter import marks
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import redirect, render_page
from mltrace_exporter.panel.visits import Back, Name, Visiting, Words, go_back
from mltrace_exporter.queries.flags import Wanted, list_flags
from mltrace_exporter.web import Writing
from mltrace_otel.contract.api import (
    FLAG_LIMIT,
    Flag,
    FlagRequest,
    FlagState,
    Severity,
    UnflagRequest,
)

PAGE_SIZE = 50
BULK_LIMIT = 10_000
_BULK_LIMIT_BYTES = 4 * 1024 * 1024

router = APIRouter()
List = Annotated[str, Form(max_length=_BULK_LIMIT_BYTES, pattern="^[^\0]*$")]
Id = Annotated[int, Query(ge=0, le=2**63 - 1)]
Day = Annotated[date | None, BeforeValidator(lambda text: text or None)]
"""A day in UTC; what is left empty is none."""


@dataclass(frozen=True, slots=True)
class FlagsContext:
    """Flags of a state, newest first.

    Attributes:
        frame: what stands around.
        flags: those that the page lists.
        state: of which state.
        wanted: what they were chosen by, as it stands in addresses.
        matching: ids of all open ones that were so chosen, at most `FLAG_LIMIT`.
        next_before: leads to older ones.
        is_first_page: whether none is newer.
    """

    frame: Frame
    flags: list[Flag]
    state: FlagState
    wanted: dict[str, str]
    matching: list[int]
    next_before: int | None
    is_first_page: bool

    @property
    def matching_are_all(self) -> bool:
        """True if no matching flag was left out."""
        return len(self.matching) < FLAG_LIMIT


@router.get(links.FLAGS)
def show_flags(  # noqa: PLR0913, PLR0917 - each is a filter
    visit: Visiting,
    state: FlagState = FlagState.OPEN,
    before: Id | None = None,
    component: Name = "",
    name: Name = "",
    since: Day = None,
) -> HTMLResponse:
    """Show which outputs are, or were, flagged."""
    began = datetime.combine(since, time.min, UTC) if since else None
    wanted = Wanted(component or None, name or None, began)
    found = list_flags(
        visit.connection, state=state, before=before, limit=PAGE_SIZE + 1, wanted=wanted
    )
    given = {"component": component, "name": name, "since": since.isoformat() if since else ""}
    context = FlagsContext(
        frame=visit.frame("Flagged outputs", Section.FLAGS),
        flags=found[:PAGE_SIZE],
        state=state,
        wanted={key: text for key, text in given.items() if text},
        matching=[each.id for each in list_flags(visit.connection, wanted=wanted)]
        if any(wanted)
        else [],
        next_before=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        is_first_page=before is None,
    )
    return render_page(context)


@router.post(links.FLAG)
def flag_output(  # noqa: PLR0913, PLR0917 - the fields of a form
    connection: Writing,
    output: Words,
    back: Back = links.REVIEW,
    reason: Words = "",
    by: Words = "",
    severity: Words = "",
) -> RedirectResponse:
    """Flag an output, then go back to the page that the form stood on."""
    marks.flag_outputs(connection, _shape([output], reason, by, severity))
    return go_back(back)


@router.post(links.UNFLAG)
def unflag_output(
    connection: Writing, output: Words, back: Back = links.REVIEW
) -> RedirectResponse:
    """Resolve the flag of an output, then go back to the page that the form stood on."""
    marks.resolve_flags(connection, UnflagRequest([output]))
    return go_back(back)


@router.post(links.FLAG_MANY)
def flag_many(  # noqa: PLR0913, PLR0917 - the fields of a form
    connection: Writing,
    names: List = "",
    file: UploadFile | None = None,
    reason: Words = "",
    by: Words = "",
    severity: Words = "",
) -> RedirectResponse:
    """Flag the outputs that are named in a text or a file, one a line."""
    outputs = _read_names(names) + _read_names(_read_file(file))
    if not outputs:
        raise MalformedRequest("No output was named: write one a line, or choose a file of them.")
    if len(outputs) > BULK_LIMIT:
        raise MalformedRequest(f"At most {BULK_LIMIT:,} outputs can be flagged at once.")
    marks.flag_outputs(connection, _shape(outputs, reason, by, severity))
    return redirect(links.REVIEW)


def _shape(outputs: list[str], reason: str, by: str, severity: str) -> FlagRequest:
    if severity and severity not in set(Severity):
        raise MalformedRequest(f"A severity is one of {', '.join(Severity)}.")
    return FlagRequest(
        outputs,
        reason=reason.strip() or None,
        by=by.strip() or None,
        severity=Severity(severity) if severity else None,
    )


def _read_names(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _read_file(file: UploadFile | None) -> str:
    if file is None:
        return ""
    content = file.file.read(_BULK_LIMIT_BYTES + 1)
    if len(content) > _BULK_LIMIT_BYTES:
        raise MalformedRequest(f"The file is larger than {_BULK_LIMIT_BYTES // 2**20} MB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedRequest("The file is no text in UTF-8: write one name a line.") from None
    if "\0" in text:
        raise MalformedRequest("The file is no text: write one name a line.")
    return text
