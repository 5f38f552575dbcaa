"""What people wrote about runs."""

import sqlalchemy as sa

from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.store.notes import read_notes
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.runs import Row, read_details
from mltrace_otel.contract.api import Note, NotePage

_LARGEST_ID = 2**63 - 1


def list_notes(
    connection: sa.Connection, ref: str, *, limit: int, before: str | None = None
) -> NotePage:
    """Return the notes about a run, newest first; the one that it brought along is the last.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
        MalformedRequest: ``before`` is no cursor of an earlier page.
    """
    run_id = resolve_run(connection, ref)
    run = read_details(connection, run_id)
    return page_notes(connection, run_id, run, limit=limit, before=before)


def page_notes(
    connection: sa.Connection, run_id: int, run: Row, *, limit: int, before: str | None = None
) -> NotePage:
    """Return the notes about the run whose row is ``run``, as `list_notes` does."""
    rows = read_notes(connection, run_id, before=_read_cursor(before), limit=limit + 1)
    notes = [Note(**row._asdict()) for row in rows]
    if len(notes) <= limit and run.notes is not None:
        notes.append(Note(None, run_id, run.notes, None, run.started_at))
    page = notes[:limit]
    return NotePage(page, _make_cursor(page[-1]) if len(notes) > limit else None)


def _make_cursor(last: Note) -> str:
    return str(last.id)


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit()) or int(cursor) > _LARGEST_ID:
        raise MalformedRequest(f"{cursor!r} is no cursor: take it from the page before.")
    return int(cursor)
