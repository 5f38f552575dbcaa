"""Spans that could not be stored: kept for people, the newest of them, each once."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import DeadLetter
from mltrace_exporter.store.schema import dead_letter

KEPT = 10_000
CONTENT_LIMIT_BYTES = 64 * 1024
"""Of a longer span the beginning is kept."""


def write_dead_letters(connection: sa.Connection, letters: Iterable[DeadLetter]) -> None:
    """Keep spans that cannot be stored; one that is kept already changes nothing."""
    by_hash = {_hash(letter): letter for letter in letters}
    if by_hash:
        rows = [{"hash": key, **_tell(by_hash[key])} for key in sorted(by_hash)]
        connection.execute(pg.insert(dead_letter).on_conflict_do_nothing(), rows)
        newest = sa.select(sa.func.max(dead_letter.c.id)).scalar_subquery()
        connection.execute(sa.delete(dead_letter).where(dead_letter.c.id <= newest - KEPT))


def read_dead_letters(
    connection: sa.Connection, *, before: int | None, limit: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return dead letters, newest first, with ids below ``before``."""
    query = sa.select(dead_letter).order_by(dead_letter.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(dead_letter.c.id < before)
    return connection.execute(query).all()


def _hash(letter: DeadLetter) -> bytes:
    told = f"{letter.encoding}\n{letter.reason}\n".encode()
    return hashlib.blake2b(told + letter.content, digest_size=16).digest()


def _tell(letter: DeadLetter) -> dict[str, object]:
    return {
        "reason": letter.reason,
        "component": letter.component,
        "encoding": letter.encoding,
        "size_bytes": len(letter.content),
        "content": letter.content[:CONTENT_LIMIT_BYTES],
    }
