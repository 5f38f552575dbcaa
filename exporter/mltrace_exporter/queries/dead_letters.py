"""Which spans could not be stored, and why?"""

import base64

import sqlalchemy as sa

from mltrace_exporter.store.dead_letters import read_dead_letters
from mltrace_otel.contract.api import DeadLetter, DeadLetterPage


def list_dead_letters(
    connection: sa.Connection, *, before: int | None = None, limit: int = 20
) -> DeadLetterPage:
    """Return spans that could not be stored, newest first, with ids below ``before``."""
    rows = read_dead_letters(connection, before=before, limit=limit + 1)
    items = [
        DeadLetter(
            id=row.id,
            received_at=row.received_at,
            reason=row.reason,
            component=row.component,
            encoding=row.encoding,
            size_bytes=row.size_bytes,
            content=base64.b64encode(row.content).decode(),
        )
        for row in rows[:limit]
    ]
    return DeadLetterPage(items, items[-1].id if len(rows) > limit else None)
