"""Who depends on a run: the edges of `store.lineage.edges` walked the other way.

An edge is told by its consumer. So for each producer those runs are looked up that could depend on
it, by link, content, name or declaration; whether one does is told by its own edges. A content or
name is looked for only until somebody else wrote it next, so a name that is written every day does
not bring up its whole history.
"""

from collections.abc import Callable, Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.ancestors import Edge
from mltrace_exporter.store.lineage.edges import (
    NEARLY_EMPTY_BYTES,
    edges_of,
    is_direction,
    is_final,
)
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, run_io

_SPARE_RUNS = 1000
"""How many more runs than asked for may be looked at that do not belong."""


def read_readers(connection: sa.Connection, producers: Collection[int]) -> list[Edge]:
    """Return all edges that end at one of ``producers``."""
    rows = connection.execute(_select_readers(), {"id": list(producers)})
    return list(map(Edge._make, rows.all()))


def read_downstream(connection: sa.Connection, roots: Collection[int], limit: int) -> list[int]:
    """Return the roots and the runs downstream of them, all or more than ``limit`` of the nearest.

    There may be others among them, which could depend on one of these and do not: their edges tell.
    To ask for the edges once, at the end, is half the work.
    """
    if not roots:
        return []
    most = limit + _SPARE_RUNS
    ids = list(connection.scalars(_select_possible(), {"id": list(roots), "limit": most + 1}))
    if len(ids) > most:
        parameters = {"id": list(roots), "limit": limit + 1}
        ids = list(connection.scalars(_select_descendants(), parameters))
    return ids


def read_consumers(
    connection: sa.Connection, producer: int, limit: int
) -> list[tuple[int | None, int, str]]:
    """Return who depends on a run, at most so many: output's id, consumer's id and component.

    The output is the pointer as the run named it; None if the dependency was declared by hand. Who
    read an output in several ways is there as often.
    """
    parameters = {"id": [producer], "limit": limit}
    return [(*row,) for row in connection.execute(_select_consumers(), parameters)]


@prepared
def _select_consumers() -> sa.Select[int | None, int, str]:
    asked, run = ask(id=sa.BigInteger), component_run.alias("reader")
    candidate = _candidates(asked.c.id)
    edge = edges_of(candidate.c.id, candidate.c.position)
    # Not DISTINCT: to find the first of many in order, PostgreSQL would go through all runs.
    return (
        sa.select(edge.c.written_id, candidate.c.id, run.c.component)
        .select_from(
            asked.join(candidate, sa.true())
            .join(edge, edge.c.producer_id == asked.c.id)
            .join(run, run.c.id == candidate.c.id)
        )
        .limit(sa.bindparam("limit", type_=sa.BigInteger))
    )


@prepared
def _select_readers() -> sa.Select[int, int, int, int, str, bool, bool]:
    asked = ask(id=sa.BigInteger)
    candidate = _candidates(asked.c.id)
    edge = edges_of(candidate.c.id, candidate.c.position)
    return (
        sa.select(candidate.c.id, *edge.c)
        .distinct()
        .select_from(asked.join(candidate, sa.true()).join(edge, edge.c.producer_id == asked.c.id))
        .order_by(candidate.c.id, edge.c.producer_id)
    )


@prepared
def _select_possible() -> sa.Select[int]:
    start = ask(id=sa.BigInteger)
    possible = sa.select(start.c.id).cte("possible", recursive=True)
    candidate = _candidates(possible.c.id)
    possible = possible.union(
        sa.select(candidate.c.id).select_from(possible.join(candidate, sa.true()))
    )
    return sa.select(possible.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger))


@prepared
def _select_descendants() -> sa.Select[int]:
    start = ask(id=sa.BigInteger)
    downstream = sa.select(start.c.id).cte("downstream", recursive=True)
    candidate = _candidates(downstream.c.id)
    edge = edges_of(candidate.c.id, candidate.c.position)
    downstream = downstream.union(
        sa.select(candidate.c.id).select_from(
            downstream.join(candidate, sa.true()).join(edge, edge.c.producer_id == downstream.c.id)
        )
    )
    return sa.select(downstream.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger))


def _candidates(producer_id: sa.ColumnElement[int]) -> sa.FromClause:
    """The inputs that could come from one run, some of them twice; of declared edges the run."""
    parts = _linked(producer_id), _reading(producer_id), _declared(producer_id)
    return sa.union_all(*parts).lateral("candidate")


def _linked(producer_id: sa.ColumnElement[int]) -> sa.Select[int, int]:
    """Those that name the run's span."""
    run, read = component_run.alias("linked_producer"), run_io.alias("linking")
    return (
        sa.select(read.c.run_id.label("id"), read.c.position)
        .join_from(
            run,
            read,
            (read.c.producer_span_id == run.c.span_id)
            & (read.c.producer_trace_id == run.c.trace_id),
        )
        .where(run.c.id == producer_id)
    )


def _reading(producer_id: sa.ColumnElement[int]) -> sa.Select[int, int]:
    """Those that read what the run wrote, by name or content, before it was written again."""
    wrote = run_io.alias("wrote")
    renewed = _find_next(wrote, "renewed", is_same=_has_name)
    parts = _read_name(wrote, renewed), _read_old(wrote, renewed), _read_moved(wrote)
    reading = sa.union_all(*(part.correlate(wrote, renewed) for part in parts)).lateral("reading")
    return (
        sa.select(reading.c.id, reading.c.position)
        .select_from(wrote.outerjoin(renewed, sa.true()).join(reading, sa.true()))
        .where(wrote.c.run_id == producer_id, is_direction(wrote, "output"))
    )


def _read_name(wrote: sa.FromClause, renewed: sa.FromClause) -> sa.Select[int, int]:
    """Those that read the name, until it was written again."""
    read = run_io.alias("read_name")
    found = _has_name(read, wrote) & (read.c.moment >= wrote.c.moment)
    return _select_inputs(read).where(found, _is_until(read, renewed))


def _read_old(wrote: sa.FromClause, renewed: sa.FromClause) -> sa.Select[int, int]:
    """Those that read it afterwards, and found this content there and not the new one."""
    read = run_io.alias("read_old")
    again = _find_next(wrote, "again", is_same=lambda *two: _has_name(*two) & _has_content(*two))
    # "IS TRUE" keeps the index over names out: one that is written daily was read for years.
    found = _has_content(read, wrote) & _has_name(read, wrote).is_(True)
    return (
        _select_inputs(read)
        .join_from(_make_row(), again, sa.true(), isouter=True)
        .join(read, found & (read.c.moment > renewed.c.moment) & _is_until(read, again))
        .where(renewed.c.moment.is_not(None))
    )


def _read_moved(wrote: sa.FromClause) -> sa.Select[int, int]:
    """Those that read the content under another name."""
    read = run_io.alias("read_moved")
    again = _find_next(wrote, "moved", is_same=_has_content)
    found = _has_content(read, wrote) & (read.c.moment >= wrote.c.moment)
    moved = ~_has_name(read, wrote) & (read.c.size_bytes >= NEARLY_EMPTY_BYTES)
    return (
        _select_inputs(read)
        .join_from(_make_row(), again, sa.true(), isouter=True)
        .join(read, found & moved & _is_until(read, again))
        .where(wrote.c.digest.is_not(None))
    )


def _make_row() -> sa.FromClause:
    """One row: what may have none is joined to it."""
    return sa.select(sa.literal_column("1").label("one")).subquery()


def _select_inputs(read: sa.FromClause) -> sa.Select[int, int]:
    columns = read.c.run_id.label("id"), read.c.position
    return sa.select(*columns).where(is_direction(read, "input"))


def _is_until(read: sa.FromClause, again: sa.FromClause) -> sa.ColumnElement[bool]:
    """No later, or at that very moment: who wrote it in no time may still have read this one's."""
    return read.c.moment <= sa.func.coalesce(again.c.moment, sa.text("'infinity'::timestamptz"))


def _find_next(
    wrote: sa.FromClause,
    name: str,
    is_same: Callable[[sa.FromClause, sa.FromClause], sa.ColumnElement[bool]],
) -> sa.FromClause:
    """When it was written next; runs that have not ended have no outputs."""
    again = run_io.alias(f"{name}_io")
    return (
        sa.select(again.c.moment)
        .where(is_same(again, wrote), is_direction(again, "output"))
        .where(again.c.moment > wrote.c.moment)
        .order_by(again.c.moment)
        .limit(1)
        .correlate(wrote)
        .lateral(name)
    )


def _has_name(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return one.c.pointer_id == other.c.pointer_id


def _has_content(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return one.c.digest == other.c.digest


def _declared(producer_id: sa.ColumnElement[int]) -> sa.Select[int, int]:
    """Those that declared the run's component, until its next run began."""
    run, consumer = component_run.alias("upstream_run"), component_run.alias("declaring_run")
    later = component_run.alias("later_run")
    next_run = (
        sa.select(later.c.started_at)
        .where(
            later.c.component == run.c.component,
            later.c.started_at > run.c.started_at,
            is_final(later),
            # Mostly nobody declares anything, which is told sooner.
            _is_declared_after(run),
        )
        .order_by(later.c.started_at)
        .limit(1)
        .lateral("next_run")
    )
    until = sa.func.coalesce(next_run.c.started_at, sa.text("'infinity'::timestamptz"))
    return (
        sa.select(consumer.c.id, sa.cast(sa.null(), sa.Integer))
        .select_from(
            run.outerjoin(next_run, sa.true()).join(
                consumer,
                (consumer.c.upstream != sa.literal_column("'{}'::text[]"))
                & consumer.c.upstream.op("@>")(pg.array([run.c.component]))
                & (consumer.c.started_at > run.c.started_at)
                & (consumer.c.started_at <= until),
            )
        )
        .where(run.c.id == producer_id)
    )


def _is_declared_after(run: sa.FromClause) -> sa.ColumnElement[bool]:
    any_run = component_run.alias("any_declaring_run")
    declares = any_run.c.upstream != sa.literal_column("'{}'::text[]")
    return sa.exists().where(declares, any_run.c.started_at > run.c.started_at).correlate(run)
