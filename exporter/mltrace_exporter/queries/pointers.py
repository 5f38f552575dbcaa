"""Who wrote this pointer, who read it, and what was found wrong with it?"""

from collections.abc import Sequence

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.queries.cursors import make_cursor, read_cursor
from mltrace_exporter.queries.flags import list_flags
from mltrace_exporter.store.pointers import find_unknown, read_uses
from mltrace_otel.contract.api import POINTER_FLAG_LIMIT, FlagState, PointerHistory, PointerUse


def get_pointer(
    connection: sa.Connection,
    name: str,
    *,
    versions_before: str | None = None,
    readers_before: str | None = None,
    limit: int = 20,
) -> PointerHistory:
    """Return who wrote and who read a pointer, newest first, and its flags.

    Args:
        connection: to the database.
        name: of the pointer.
        versions_before: `versions_cursor` of the page before.
        readers_before: `readers_cursor` of the page before.
        limit: how many of either, at most.

    Raises:
        NotFound: no run ever read or wrote it.
        MalformedRequest: a cursor is none.
    """
    if find_unknown(connection, [name]):
        raise NotFound(f"No recorded run read or wrote {name!r}. `mltrace search` finds names.")
    versions, versions_cursor = _list_uses(connection, name, "output", versions_before, limit)
    readers, readers_cursor = _list_uses(connection, name, "input", readers_before, limit)
    flags = list_flags(connection, state=FlagState.ALL, output=name, limit=POINTER_FLAG_LIMIT)
    return PointerHistory(
        name=name,
        type=_tell_type((*versions, *readers)),
        flagged=any(flag.resolved_at is None for flag in flags),
        versions=versions,
        versions_cursor=versions_cursor,
        readers=readers,
        readers_cursor=readers_cursor,
        flags=flags,
    )


def _list_uses(
    connection: sa.Connection, name: str, direction: str, before: str | None, limit: int
) -> tuple[list[PointerUse], str | None]:
    cursor = None if before is None else read_cursor(before)
    rows = read_uses(connection, name, direction, before=cursor, limit=limit + 1)
    uses = [PointerUse(**row._asdict()) for row in rows[:limit]]
    more = len(rows) > limit
    return uses, make_cursor(uses[-1].moment, uses[-1].run_id) if more else None


def _tell_type(uses: Sequence[PointerUse]) -> str:
    return next((use.type for use in uses if use.type != "unknown"), "unknown")
