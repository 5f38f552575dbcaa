"""What runs have in common and is stored once: their component's words, code, names of pointers."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Run, Words
from mltrace_exporter.store import schema
from mltrace_exporter.store.bulk import unnest, write_array
from mltrace_exporter.store.components import unite

_DESCRIBED = (
    *("name", "owner", "description", "tags", "said_tags", "described_at", "described_by"),
)
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
    insert = pg.insert(schema.component).from_select(
        _DESCRIBED, _list_descriptions([newest[name] for name in sorted(newest)])
    )
    old, said = schema.component.c, insert.excluded
    connection.execute(
        insert.on_conflict_do_update(
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
    )


def _speaks_later(run: Run) -> tuple[bool, object, bytes]:
    return run.words is not None, run.started_at, run.id.span_id


def _list_descriptions(runs: Sequence[Run]) -> sa.Select[*tuple[Any, ...]]:
    """Return rows of all, so that there is one statement: each takes a way there and back."""
    words = [run.words or Words(None, None, ()) for run in runs]
    said_at = [run.started_at.isoformat() if run.words else None for run in runs]
    said = unnest(
        name=([run.component for run in runs], sa.Text),
        owner=([each.owner for each in words], sa.Text),
        description=([each.description for each in words], sa.Text),
        tags=([write_array(each.tags) for each in words], sa.Text),
        described_at=(said_at, sa.Text),
        described_by=([run.id.span_id if run.words else None for run in runs], sa.LargeBinary),
    ).c
    tags = sa.cast(said.tags, pg.ARRAY(sa.Text))
    time = sa.cast(said.described_at, pg.TIMESTAMP(timezone=True))
    return sa.select(
        *(said.name, said.owner, said.description, tags, tags, time, said.described_by)
    )


def keep_code(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Store each source once."""
    sources = {hash_code(run.code): run.code for run in runs if run.code is not None}
    if not sources:
        return
    hashes = sorted(sources)
    rows = unnest(
        hash=(hashes, sa.LargeBinary), source=([sources[hash_] for hash_ in hashes], sa.Text)
    )
    insert = pg.insert(schema.code).from_select(["hash", "source"], sa.select(*rows.c))
    connection.execute(insert.on_conflict_do_nothing())


@lru_cache(maxsize=256)
def hash_code(source: str) -> bytes:
    """Return the key under which a source is stored."""
    return hashlib.blake2b(source.encode(), digest_size=16).digest()


def keep_names(connection: sa.Connection, names: Mapping[str, int]) -> None:
    """Store the names of pointers, each with its id; those that are known stay as they are."""
    pairs = sorted({id_: name for name, id_ in names.items()}.items())
    if not pairs:
        return
    said = unnest(
        id=([id_ for id_, _ in pairs], sa.BigInteger), name=([name for _, name in pairs], sa.Text)
    )
    connection.execute(
        pg.insert(schema.io_pointer)
        .from_select(["id", "name"], sa.select(said.c.id, said.c.name))
        .on_conflict_do_nothing()
    )
