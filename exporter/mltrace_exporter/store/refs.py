"""A run by what people call it: its number, or its span id as far as it is unique."""

import re

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.store import runs as stored

_SPAN_ID_DIGITS = 16


def resolve_run(connection: sa.Connection, ref: str) -> int:
    """Return the id of the run that ``ref`` names.

    Raises:
        NotFound: no run, or more than one, answers to it.
    """
    if ref.isascii() and ref.isdigit() and len(ref) < _SPAN_ID_DIGITS:
        found = stored.find_by_id(connection, int(ref))
        if found is not None:
            return found
    matches: list[int] = []
    if re.fullmatch(rf"[0-9a-fA-F]{{4,{_SPAN_ID_DIGITS}}}", ref):
        first, last = (bytes.fromhex(ref.ljust(_SPAN_ID_DIGITS, digit)) for digit in "0f")
        matches = stored.find_by_span(connection, first, last)
    if len(matches) > 1:
        raise NotFound(f"More than one run's span id begins with {ref}: give more digits.")
    if not matches:
        raise NotFound(f"There is no run {ref}. `mltrace recent` lists the newest runs.")
    return matches[0]
