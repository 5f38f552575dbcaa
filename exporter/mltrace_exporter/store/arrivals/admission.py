"""Which of the runs that arrive are to be written: in, what was said of runs; out, rows to write.

What is written of a run does not depend on the order in which its spans arrive: its own span is
final, and until that comes the greatest of its markers counts.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from mltrace_exporter.model import Marker, Run, SpanId
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.edges import is_final
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run


class Entry(NamedTuple):
    """A row to write.

    Attributes:
        run_id: the row's id.
        run: what to write.
        marker: where it is from; None for a run that has ended.
        replaces: whether the row is there already, with what a marker said.
    """

    run_id: int
    run: Run
    marker: Marker | None
    replaces: bool


_SEQUENCE = "pg_get_serial_sequence('component_run', 'id')"


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that is there; its rank is None if it is of a run that has ended."""

    run_id: int
    rank: tuple[bool, datetime, bytes] | None


def admit(connection: sa.Connection, runs: Sequence[Run], markers: Sequence[Marker]) -> list[Entry]:
    """Return what is news, in one order for all exporters, so that two cannot deadlock.

    Rows that are to be replaced are locked.
    """
    said = _pick(runs, markers)
    known = _read_known(connection, said)
    news = [one for id_, one in said.items() if _is_news(one, known.get(id_))]
    news.sort(key=lambda one: (_run_of(one).started_at, _run_of(one).id.span_id))
    fresh = iter(_take_ids(connection, sum(_run_of(one).id not in known for one in news)))
    return [_make_entry(one, known.get(_run_of(one).id), fresh) for one in news]


def _pick(runs: Iterable[Run], markers: Iterable[Marker]) -> dict[SpanId, Run | Marker]:
    """Return for each run what counts most: its first own span, else its greatest marker."""
    said: dict[SpanId, Run | Marker] = {}
    for marker in sorted(markers, key=lambda marker: marker.rank):
        said[marker.run.id] = marker
    for run in runs:
        if not isinstance(said.get(run.id), Run):
            said[run.id] = run
    return said


def _run_of(one: Run | Marker) -> Run:
    return one.run if isinstance(one, Marker) else one


def _is_news(one: Run | Marker, known: _Known | None) -> bool:
    if known is None:
        return True
    return known.rank is not None and (isinstance(one, Run) or one.rank > known.rank)


def _make_entry(one: Run | Marker, known: _Known | None, fresh: Iterator[int]) -> Entry:
    run_id = next(fresh) if known is None else known.run_id
    marker = one if isinstance(one, Marker) else None
    return Entry(run_id, _run_of(one), marker, known is not None)


def _read_known(connection: sa.Connection, ids: Collection[SpanId]) -> dict[SpanId, _Known]:
    known = _read_rows(connection, ids)
    passing = [id_ for id_, row in known.items() if row.rank is not None]
    if passing:
        # Another exporter may be replacing them: look again once it is done.
        row = component_run.c
        lock = sa.select(row.id).where(row.id.in_([known[id_].run_id for id_ in passing]))
        connection.execute(lock.order_by(row.id).with_for_update())
        return {id_: known[id_] for id_ in known.keys() - passing} | _read_rows(connection, passing)
    return known


def _read_rows(connection: sa.Connection, ids: Collection[SpanId]) -> dict[SpanId, _Known]:
    asked = {
        "span_id": [id_.span_id for id_ in ids],
        "trace_id": [id_.trace_id for id_ in ids],
    }
    return {
        SpanId(bytes(found.trace_id), bytes(found.span_id)): _Known(
            found.id,
            None if found.is_final else (found.is_aborted, found.alive_at, bytes(found.marked_by)),
        )
        for found in connection.execute(_ask_known(), asked)
    }


@cache  # not prepared: for tables that are still empty, PostgreSQL would plan to read them whole
def _ask_known() -> sa.Select[*tuple[Any, ...]]:
    asked, row = ask(span_id=sa.LargeBinary, trace_id=sa.LargeBinary), component_run.c
    return sa.select(
        row.id,
        row.trace_id,
        row.span_id,
        is_final(component_run).label("is_final"),
        (row.execution == sa.literal_column("'aborted'")).label("is_aborted"),
        row.alive_at,
        row.marked_by,
    ).join(asked, (asked.c.span_id == row.span_id) & (asked.c.trace_id == row.trace_id))


def _take_ids(connection: sa.Connection, count: int) -> list[int]:
    return list(connection.scalars(_ask_ids(), {"count": count})) if count else []


@prepared
def _ask_ids() -> sa.Select[tuple[int]]:
    # Its name in a query of its own, or it is looked up for each number.
    sequence = sa.select(sa.literal_column(_SEQUENCE)).scalar_subquery()
    numbers = sa.func.generate_series(sa.literal_column("1"), sa.bindparam("count", 0, sa.Integer))
    return sa.select(sa.func.nextval(sequence)).select_from(numbers)
