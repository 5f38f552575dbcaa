"""Finds components, names of inputs and outputs, and notes by words.

Names are found by what they, or the last part of a path, begin with; the first of those that the
newest runs read and wrote also by what they contain. Notes are found by words that begin so.
Neither knows capitals from small letters (of names, those of ASCII).
"""

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.schema import (
    component_run,
    io_pointer,
    last_part,
    run_io,
    run_note,
    split_words,
    whole_name,
)

Row = sa.Row[*tuple[Any, ...]]

_RECENT_RUNS = 200
_NAMES_EACH = 20
_LAST_CHARACTER = "\U0010ffff"
_INDEXED_LENGTH = 200


def find_names(connection: sa.Connection, text: str, limit: int) -> list[str]:
    """Return names of pointers: the very name, those that begin so, recent ones that contain it."""
    name = io_pointer.c.name
    exact = sa.select(name).where(io_pointer.c.id == hash_name(text), name == text)
    questions = (
        exact,
        _begins(whole_name, text).limit(limit),
        _begins(last_part, text).limit(limit),
        _select_recent(text).limit(limit),
    )
    found: dict[str, None] = {}
    for question in questions:
        if len(found) < limit:
            found.update(dict.fromkeys(connection.scalars(question)))
    return list(found)[:limit]


def find_notes(connection: sa.Connection, text: str, limit: int) -> Sequence[Row]:
    """Return notes with all words of ``text``, of people and of runs themselves, newest first."""
    words = [f"{word}:*" for word in re.findall(r"\w+", text)]
    if not words:
        return []
    query = sa.func.to_tsquery(sa.text("'simple'::regconfig"), " & ".join(words))
    note, run = run_note, component_run
    columns = (note.c.id, note.c.run_id, note.c.text, note.c.author, note.c.noted_at)
    said = sa.select(*columns).where(split_words(note.c.text).bool_op("@@")(query))
    nobody = sa.cast(sa.null(), sa.Text).label("author")
    no_id = sa.cast(sa.null(), sa.BigInteger).label("id")
    brought = sa.select(
        no_id, run.c.id.label("run_id"), run.c.notes.label("text"), nobody, run.c.started_at
    ).where(run.c.notes.is_not(None), split_words(run.c.notes).bool_op("@@")(query))
    newest = (
        said.order_by(note.c.noted_at.desc()).limit(limit).subquery(),
        brought.order_by(run.c.started_at.desc()).limit(limit).subquery(),
    )
    both = sa.union_all(*(sa.select(part) for part in newest)).subquery("note")
    moment, run_id = both.c.noted_at, both.c.run_id
    return connection.execute(
        sa.select(both).order_by(moment.desc(), run_id.desc()).limit(limit)
    ).all()


def _begins(indexed: sa.ColumnElement[str], text: str) -> sa.Select[str]:
    first = sa.func.lower(sa.literal(text[:_INDEXED_LENGTH]).collate("C"))
    return (
        sa.select(io_pointer.c.name)
        .where(indexed >= first, indexed < first.concat(_LAST_CHARACTER))
        .order_by(indexed)
    )


def _select_recent(text: str) -> sa.Select[str]:
    run = component_run
    recent = (
        sa.select(run.c.id)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(_RECENT_RUNS)
        .subquery("recent")
    )
    # A run may write a name for each of a million predictions.
    first = (
        sa.select(run_io.c.pointer_id)
        .where(run_io.c.run_id == recent.c.id)
        .order_by(run_io.c.position)
        .limit(_NAMES_EACH)
        .lateral("first")
    )
    # Apart, so that PostgreSQL does not look through all names there ever were.
    used = (
        sa.select(io_pointer.c.name)
        .select_from(recent.join(first, sa.true()))
        .join(io_pointer, io_pointer.c.id == first.c.pointer_id)
        .distinct()
        .cte("used")
        .prefix_with("MATERIALIZED")
    )
    return (
        sa.select(used.c.name)
        .where(used.c.name.icontains(text, autoescape=True))
        .order_by(used.c.name)
    )
