"""Pointers by their names."""

import hashlib
from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.schema import io_pointer


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
