"""Pointers by their names, and who used them."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.lineage.edges import is_direction
from mltrace_exporter.store.schema import component_run, io_pointer, run_io

Row = sa.Row[*tuple[Any, ...]]


def hash_name(name: str) -> int:
    """Return the id of the pointer with this name: 64 bits of BLAKE2b, as a signed integer.

    Derived from the name so that writing needs no look-up. Among ten million names the chance that
    any two share an id is below 3 in a million.
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def find_unknown(connection: sa.Connection, names: Collection[str]) -> list[str]:
    """Return those of ``names`` that no run ever read or wrote."""
    ids = {hash_name(name): name for name in names}
    asked = unnest(id=(list(ids), sa.BigInteger))
    known = sa.select(io_pointer.c.id).join(asked, asked.c.id == io_pointer.c.id)
    for id_ in connection.scalars(known):
        del ids[id_]
    return list(ids.values())


def read_uses(
    connection: sa.Connection,
    name: str,
    direction: str,
    *,
    before: tuple[datetime, int] | None,
    limit: int,
) -> Sequence[Row]:
    """Return who wrote (``output``) or read (``input``) a pointer, newest first.

    Args:
        connection: to the database.
        name: of the pointer.
        direction: which of the two.
        before: moment and run id; only older uses are returned.
        limit: how many, at most.
    """
    io, run = run_io, component_run
    query = (
        sa.select(
            io.c.run_id,
            run.c.component,
            io.c.moment,
            io.c.type,
            io.c.digest,
            io.c.size_bytes,
            io.c.labels,
        )
        .join(run, run.c.id == io.c.run_id)
        .where(io.c.pointer_id == hash_name(name), is_direction(io, direction))
        .order_by(io.c.moment.desc(), io.c.run_id.desc(), io.c.position)
        .limit(limit)
    )
    if before is not None:
        query = query.where(sa.tuple_(io.c.moment, io.c.run_id) < sa.tuple_(*before))
    return connection.execute(query).all()
