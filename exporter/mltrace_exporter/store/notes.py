"""Notes that people write about runs. None is ever changed or lost."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.schema import run_note

Row = sa.Row[*tuple[Any, ...]]


def add_note(connection: sa.Connection, run_id: int, *, text: str, author: str | None) -> Row:
    """Write a note about a run and return it as it is stored."""
    statement = sa.insert(run_note).values(run_id=run_id, text=text, author=author)
    return connection.execute(statement.returning(*run_note.c)).one()


def read_notes(
    connection: sa.Connection, run_id: int, *, before: int | None, limit: int
) -> Sequence[Row]:
    """Return notes about a run, newest first, with ids below ``before``."""
    query = sa.select(run_note).where(run_note.c.run_id == run_id)
    if before is not None:
        query = query.where(run_note.c.id < before)
    return connection.execute(query.order_by(run_note.c.id.desc()).limit(limit)).all()
