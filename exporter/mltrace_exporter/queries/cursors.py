"""Where a page ended, as a text that people pass on without reading it: a moment and a run's id."""

from datetime import datetime

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
    try:
        parsed, number = datetime.fromisoformat(moment), int(run_id)
    except ValueError:
        parsed, number = None, 0
    if parsed is None or parsed.tzinfo is None or not 0 <= number < 2**63:
        raise MalformedRequest(f"{cursor!r} is no cursor: take it from the page before.")
    return parsed, number
