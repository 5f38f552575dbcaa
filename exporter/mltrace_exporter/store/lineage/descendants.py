"""Who depends on a run: the edges of `store.lineage.edges` walked the other way.

An edge is told by its consumer. So for each producer those runs are looked up that could depend on
it, by link, content, name or declaration; whether one does is told by its own edges. A content or
name is looked for only until somebody else wrote it next, so a name that is written every day does
not bring up its whole history.
"""

from collections.abc import Collection

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
def _select_readers() -> sa.Select[int, int, int, int, str, bool]:
    asked = ask(id=sa.BigInteger)
    candidate = _candidates(asked.c.id)
    edge = edges_of(candidate.c.id, candidate.c.position)
    return (
        sa.select(candidate.c.id, *edge.c)
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
    """The inputs that could come from one run, each once; of declared edges the run alone."""
    return sa.union(
        _linked(producer_id),
        _read_content(producer_id, same_name=True),
        _read_content(producer_id, same_name=False),
        _read_name(producer_id),
        _declared(producer_id),
    ).lateral("candidate")


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


def _read_content(producer_id: sa.ColumnElement[int], *, same_name: bool) -> sa.Select[int, int]:
    """Those that read what the run wrote, before the content was written again."""
    kind = "same" if same_name else "other"
    wrote, read, again = (run_io.alias(f"{word}_{kind}") for word in ("wrote", "read", "again"))
    rewritten = again.c.digest == wrote.c.digest
    found = read.c.digest == wrote.c.digest
    name = read.c.pointer_id == wrote.c.pointer_id
    if same_name:
        rewritten &= again.c.pointer_id == wrote.c.pointer_id
        found &= name
    else:
        found &= ~name & (read.c.size_bytes >= NEARLY_EMPTY_BYTES)
    next_write = _find_next(wrote, again, rewritten, f"next_{kind}")
    return _select_between(producer_id, wrote, read, next_write, found)


def _read_name(producer_id: sa.ColumnElement[int]) -> sa.Select[int, int]:
    """Those that read a name that the run wrote, before it was written again."""
    wrote, read, again = (run_io.alias(f"{word}_name") for word in ("wrote", "read", "again"))
    rewritten = again.c.pointer_id == wrote.c.pointer_id
    next_write = _find_next(wrote, again, rewritten, "next_name")
    found = read.c.pointer_id == wrote.c.pointer_id
    return _select_between(producer_id, wrote, read, next_write, found)


def _find_next(
    wrote: sa.FromClause, again: sa.FromClause, rewritten: sa.ColumnElement[bool], name: str
) -> sa.FromClause:
    """When it was written next; runs that have not ended have no outputs."""
    return (
        sa.select(again.c.moment)
        .where(rewritten, is_direction(again, "output"), again.c.moment > wrote.c.moment)
        .order_by(again.c.moment)
        .limit(1)
        .lateral(name)
    )


def _select_between(
    producer_id: sa.ColumnElement[int],
    wrote: sa.FromClause,
    read: sa.FromClause,
    next_write: sa.FromClause,
    found: sa.ColumnElement[bool],
) -> sa.Select[int, int]:
    until = sa.func.coalesce(next_write.c.moment, sa.text("'infinity'::timestamptz"))
    return (
        sa.select(read.c.run_id.label("id"), read.c.position)
        .select_from(wrote.outerjoin(next_write, sa.true()).join(read, found))
        .where(
            wrote.c.run_id == producer_id,
            is_direction(wrote, "output"),
            is_direction(read, "input"),
            read.c.moment >= wrote.c.moment,
            # At that very moment: a run that wrote it in no time may still have read this one's.
            read.c.moment <= until,
        )
    )


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
