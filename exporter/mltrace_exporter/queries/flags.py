"""Which outputs are, or were, flagged?"""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.store.flags import (
    count_open_flags,
    find_flagged_runs,
    read_flags_in,
    shape_flag,
)
from mltrace_exporter.store.pointers import hash_name
from mltrace_otel.contract.api import FLAG_LIMIT, Flag, FlagState


def list_flags(
    connection: sa.Connection,
    *,
    state: FlagState = FlagState.OPEN,
    output: str | None = None,
    before: int | None = None,
    limit: int = FLAG_LIMIT,
) -> list[Flag]:
    """Return flags, newest first.

    Args:
        connection: to the database.
        state: which ones.
        output: only those of this output.
        before: only those with ids below.
        limit: how many, at most.
    """
    pointer_id = None if output is None else hash_name(output)
    rows = read_flags_in(connection, state, pointer_id=pointer_id, before=before, limit=limit)
    return [shape_flag(row) for row in rows]


def count_flags(connection: sa.Connection) -> int:
    """Return the number of open flags."""
    return count_open_flags(connection)


def find_flagged(connection: sa.Connection, run_ids: Collection[int]) -> set[int]:
    """Return those of some runs that wrote an output which is flagged now."""
    return find_flagged_runs(connection, run_ids) if run_ids else set()
