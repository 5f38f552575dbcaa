"""What runs have in common and is stored once: their component's words, code, names of pointers."""

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Run, Words
from mltrace_exporter.store import schema
from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.components import unite
from mltrace_exporter.store.pointers import hash_name

# Spelt out: SQLAlchemy would look for the tables of columns inside the subquery.
_TAGS = [
    sa.literal_column(name, pg.ARRAY(sa.Text)) for name in ("excluded.tags", "component.added_tags")
]


def describe_components(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Let the newest run's words win, by start time and not by arrival.

    What a run's own span says wins over what its marker said.
    """
    newest: dict[str, Run] = {}
    for run in runs:
        known = newest.get(run.component)
        if known is None or _speaks_later(run) > _speaks_later(known):
            newest[run.component] = run
    rows = [_describe(newest[name]) for name in sorted(newest)]
    insert = pg.insert(schema.component)
    old, said = schema.component.c, insert.excluded
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["name"],
            set_={
                **{key: said[key] for key in rows[0] if key != "name"},
                "tags": unite(*_TAGS),
            },
            where=said.described_at.is_not(None)
            & (
                old.described_at.is_(None)
                | (
                    sa.tuple_(said.described_at, said.described_by)
                    >= sa.tuple_(old.described_at, old.described_by)
                )
            ),
        ),
        rows,
    )


def _speaks_later(run: Run) -> tuple[bool, object, bytes]:
    return run.words is not None, run.started_at, run.id.span_id


def _describe(run: Run) -> dict[str, object]:
    words = run.words or Words(None, None, ())
    return {
        "name": run.component,
        "owner": words.owner,
        "description": words.description,
        "tags": list(words.tags),
        "said_tags": list(words.tags),
        "described_at": run.started_at if run.words else None,
        "described_by": run.id.span_id if run.words else None,
    }


def keep_code(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Store each source once."""
    sources = {hash_code(run.code): run.code for run in runs if run.code is not None}
    rows = [{"hash": hash_, "source": sources[hash_]} for hash_ in sorted(sources)]
    if rows:
        connection.execute(pg.insert(schema.code).on_conflict_do_nothing(), rows)


@lru_cache(maxsize=256)
def hash_code(source: str) -> bytes:
    """Return the key under which a source is stored."""
    return hashlib.blake2b(source.encode(), digest_size=16).digest()


def name_pointers(connection: sa.Connection, names: Collection[str]) -> dict[str, int]:
    """Store the names of pointers, those that are known stay as they are; return their ids."""
    ids = {name: hash_name(name) for name in names}
    pairs = sorted({id_: name for name, id_ in ids.items()}.items())
    if not pairs:
        return ids
    said = unnest(
        id=([id_ for id_, _ in pairs], sa.BigInteger), name=([name for _, name in pairs], sa.Text)
    )
    connection.execute(
        pg.insert(schema.io_pointer)
        .from_select(["id", "name"], sa.select(said.c.id, said.c.name))
        .on_conflict_do_nothing()
    )
    return ids
