"""What runs have in common and is stored once: their component's words, code, names of pointers."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Run, Words
from mltrace_exporter.store import schema
from mltrace_exporter.store.bulk import ask, write_array
from mltrace_exporter.store.components import unite
from mltrace_exporter.store.preparation import prepared

_DESCRIBED = (
    *("name", "owner", "description", "tags", "said_tags", "described_at", "described_by"),
)
# Spelt out: SQLAlchemy would look for the tables of columns inside the subquery.
_TAGS = [
    sa.literal_column(name, pg.ARRAY(sa.Text)) for name in ("excluded.tags", "component.added_tags")
]


def describe_components(connection: sa.Connection, runs: Sequence[Run]) -> None:
    """Let the newest run's words win, by start time and not by arrival.

    A run without words says nothing.

    Args:
        connection: to the database.
        runs: in the order in which they started.
    """
    newest = {run.component: run for run in runs}
    newest |= {run.component: run for run in runs if run.words}
    connection.execute(
        _insert_descriptions(), _list_descriptions([newest[name] for name in sorted(newest)])
    )


def _list_descriptions(runs: Sequence[Run]) -> dict[str, Sequence[object]]:
    """Return what all say, so that there is one statement: each takes a way there and back."""
    words = [run.words or Words(None, None, ()) for run in runs]
    return {
        "name": [run.component for run in runs],
        "owner": [each.owner for each in words],
        "description": [each.description for each in words],
        "tags": [write_array(each.tags) for each in words],
        "described_at": [run.started_at.isoformat() if run.words else None for run in runs],
        "described_by": [run.id.span_id if run.words else None for run in runs],
    }


@prepared
def _insert_descriptions() -> pg.Insert:
    told = ask(
        name=sa.Text,
        owner=sa.Text,
        description=sa.Text,
        tags=sa.Text,
        described_at=sa.Text,
        described_by=sa.LargeBinary,
    ).c
    tags = sa.cast(told.tags, pg.ARRAY(sa.Text))
    time = sa.cast(told.described_at, pg.TIMESTAMP(timezone=True))
    rows = sa.select(
        *(told.name, told.owner, told.description, tags, tags, time, told.described_by)
    )
    insert = pg.insert(schema.component).from_select(_DESCRIBED, rows)
    old, said = schema.component.c, insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["name"],
        set_={**{key: said[key] for key in _DESCRIBED[1:]}, "tags": unite(*_TAGS)},
        where=said.described_at.is_not(None)
        & (
            old.described_at.is_(None)
            | (
                sa.tuple_(said.described_at, said.described_by)
                >= sa.tuple_(old.described_at, old.described_by)
            )
        ),
    )


def keep_code(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Store each source once."""
    sources = {hash_code(code): code for code in {run.code for run in runs} if code is not None}
    if not sources:
        return
    hashes = sorted(sources)
    said = {"hash": hashes, "source": [sources[hash_] for hash_ in hashes]}
    connection.execute(_insert_code(), said)


@prepared
def _insert_code() -> pg.Insert:
    rows = sa.select(*ask(hash=sa.LargeBinary, source=sa.Text).c)
    return pg.insert(schema.code).from_select(["hash", "source"], rows).on_conflict_do_nothing()


@lru_cache(maxsize=256)
def hash_code(source: str) -> bytes:
    """Return the key under which a source is stored."""
    return hashlib.blake2b(source.encode(), digest_size=16).digest()


def keep_names(connection: sa.Connection, names: Mapping[str, int]) -> None:
    """Store the names of pointers, each with its id; those that are known stay as they are."""
    pairs = sorted({id_: name for name, id_ in names.items()}.items())
    if pairs:
        said = {"id": [id_ for id_, _ in pairs], "name": [name for _, name in pairs]}
        connection.execute(_insert_names(), said)


@prepared
def _insert_names() -> pg.Insert:
    rows = sa.select(*ask(id=sa.BigInteger, name=sa.Text).c)
    return pg.insert(schema.io_pointer).from_select(["id", "name"], rows).on_conflict_do_nothing()
