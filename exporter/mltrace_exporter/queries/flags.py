"""Which outputs are, or were, flagged?"""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.store.flags import (
    ANY,
    Wanted,
    count_open_flags,
    find_flagged_runs,
    read_flags_in,
    shape_flag,
)
from mltrace_exporter.store.pointers import hash_name
from mltrace_otel.contract.api import FLAG_LIMIT, Flag, FlagState

__all__ = ["Wanted", "count_flags", "find_flagged", "list_flags"]


def list_flags(  # noqa: PLR0913 - each is a filter
    connection: sa.Connection,
    *,
    state: FlagState = FlagState.OPEN,
    output: str | None = None,
    before: int | None = None,
    limit: int = FLAG_LIMIT,
    wanted: Wanted = ANY,
) -> list[Flag]:
    """Return flags, newest first.

    Args:
        connection: to the database.
        state: which ones.
        output: only those of this output.
        before: only those with ids below.
        limit: how many, at most.
        wanted: only such.
    """
    pointer_id = None if output is None else hash_name(output)
    rows = read_flags_in(
        connection, state, pointer_id=pointer_id, before=before, limit=limit, wanted=wanted
    )
    return [shape_flag(row) for row in rows]


def count_flags(connection: sa.Connection) -> int:
    """Return the number of open flags."""
    return count_open_flags(connection)


def find_flagged(connection: sa.Connection, run_ids: Collection[int]) -> set[int]:
    """Return those of some runs that wrote an output which is flagged now."""
    return find_flagged_runs(connection, run_ids) if run_ids else set()
