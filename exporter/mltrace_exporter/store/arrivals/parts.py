"""Pointers that came beside their run: parts are kept until their run is there, then added to it.

The run may come first or last, and each may come through another exporter. So that neither misses
the other, writers of parts and writers of runs keep out of each other's transactions: `lock_parts`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Io, IoPart, SpanId
from mltrace_exporter.store.arrivals.rows import IoShare, copy_io
from mltrace_exporter.store.arrivals.words import keep_names
from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.lineage.edges import is_final
from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, io_part, run_io

# Any number will do, as long as every exporter asks for the same one.
_LOCK = 0x6D6C7470

_IS_WAITING = io_part.c.run_id.is_(None)


def lock_parts(connection: sa.Connection, *, writes_parts: bool) -> None:
    """Until the transaction's end, keep writers of parts and all others apart."""
    connection.execute(_lock_alone() if writes_parts else _lock_shared())


@prepared
def _lock_alone() -> sa.Select[None]:
    return sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_LOCK))))


@prepared
def _lock_shared() -> sa.Select[None]:
    return sa.select(sa.func.pg_advisory_xact_lock_shared(sa.literal_column(str(_LOCK))))


def write_parts(
    connection: sa.Connection, parts: Sequence[IoPart], written: Collection[SpanId]
) -> None:
    """Store parts, and add to their runs all that have one now.

    Args:
        connection: to the database, after `lock_parts`.
        parts: what arrived; what is known already changes nothing.
        written: runs that this transaction wrote.
    """
    if parts:
        _keep(connection, parts)
    if parts or connection.scalar(_ask_waiting()):
        runs = sorted({*written, *(part.run for part in parts)}, key=lambda id_: id_.span_id)
        _settle(connection, runs)


@cache
def _ask_waiting() -> sa.Select[bool]:
    return sa.select(sa.exists().where(_IS_WAITING))


def delete_waiting_parts(connection: sa.Connection, received_before: datetime) -> int:
    """Delete parts that arrived earlier and still wait for their run; return how many."""
    too_old = io_part.c.received_at < received_before
    return connection.execute(sa.delete(io_part).where(_IS_WAITING, too_old)).rowcount


def _keep(connection: sa.Connection, parts: Iterable[IoPart]) -> None:
    rows = [
        {
            "span_id": part.id.span_id,
            "trace_id": part.id.trace_id,
            "parent_span_id": part.run.span_id,
            "position": part.offset,
            "io": [_pack(io) for io in part.io],
        }
        for part in sorted(parts, key=lambda part: part.id.span_id)
    ]
    connection.execute(pg.insert(io_part).on_conflict_do_nothing(), rows)


def _settle(connection: sa.Connection, runs: Sequence[SpanId]) -> None:
    """Give waiting parts to their runs, where these are there and have ended."""
    asked = unnest(
        span_id=([id_.span_id for id_ in runs], sa.LargeBinary),
        trace_id=([id_.trace_id for id_ in runs], sa.LargeBinary),
    )
    run, part = component_run, io_part
    query = (
        sa.select(part, run.c.id.label("new_run_id"), run.c.started_at, run.c.ended_at)
        .select_from(
            asked.join(
                part,
                (part.c.parent_span_id == asked.c.span_id)
                & (part.c.trace_id == asked.c.trace_id)
                & _IS_WAITING,
            ).join(run, (run.c.span_id == asked.c.span_id) & (run.c.trace_id == asked.c.trace_id))
        )
        .where(is_final(run))
        .order_by(run.c.id, part.c.position, part.c.span_id)
    )
    for row in connection.execute(query).all():
        _add(connection, row)


def _add(connection: sa.Connection, row: sa.Row[Any]) -> None:
    found = [_unpack(packed) for packed in row.io]
    pointer_ids = {io.name: hash_name(io.name) for io in found}
    keep_names(connection, pointer_ids)
    position = _find_room(connection, row.new_run_id, row.position, len(found))
    share = IoShare(row.new_run_id, position, row.started_at, row.ended_at, found)
    copy_io(connection, [share], pointer_ids)
    connection.execute(
        sa.update(io_part)
        .where(io_part.c.span_id == row.span_id, io_part.c.trace_id == row.trace_id)
        .values(run_id=row.new_run_id, io=None)
    )


def _find_room(connection: sa.Connection, run_id: int, position: int, count: int) -> int:
    """Return the position if it is free as told; else, as no pointer may be lost, the end."""
    taken = run_io.c.position.between(position, position + count - 1)
    query = sa.select(sa.func.max(run_io.c.position), sa.func.bool_or(taken))
    last, is_taken = connection.execute(query.where(run_io.c.run_id == run_id)).one()
    return last + 1 if is_taken else position


def _pack(io: Io) -> list[object]:
    producer = io.producer
    ids = [producer.trace_id.hex(), producer.span_id.hex()] if producer else None
    return [io.direction, io.name, io.type, io.digest, io.size_bytes, list(io.labels), ids]


def _unpack(packed: Sequence[Any]) -> Io:
    direction, name, type_, digest, size_bytes, labels, ids = packed
    producer = SpanId(*map(bytes.fromhex, ids)) if ids else None
    return Io(direction, name, type_, digest, size_bytes, tuple(labels), producer)
