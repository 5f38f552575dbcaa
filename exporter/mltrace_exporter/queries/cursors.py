"""Where a page ended, as a text that people pass on without reading it: a moment and a run's id."""

from contextlib import suppress
from datetime import UTC, datetime

from mltrace_exporter.errors import MalformedRequest


def make_cursor(moment: datetime, run_id: int) -> str:
    """Return the cursor behind a row with this key."""
    return f"{moment.isoformat()}~{run_id}"


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """Return the key that the cursor was made of.

    Raises:
        MalformedRequest: it is no cursor of an earlier page.
    """
    moment, _, run_id = cursor.partition("~")
    with suppress(ValueError, OverflowError):
        parsed, number = datetime.fromisoformat(moment), int(run_id)
        if parsed.tzinfo and 0 <= number < 2**63:
            # PostgreSQL does not know all zones that Python does.
            return parsed.astimezone(UTC), number
    raise MalformedRequest(f"{cursor!r} is no cursor: take it from the page before.")
