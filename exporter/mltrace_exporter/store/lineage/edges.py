"""Who depends on whom, computed from what runs said they read and wrote.

An edge leads from a run (the consumer) to the run that produced one of its inputs. The rules, first
one that gives a producer:

1. ``link``: the run whose span the input's link names.
2. ``digest``: the run that last ended at or before the consumer started, with an output of the same
   content; the same name is preferred, and nearly empty contents match under their own name only.
3. ``name``: the run that last ended at or before the consumer started, with an output of the name.

Besides, ``declared``: the latest earlier run of a component named by ``set_upstream``.
A run is never its own producer. Equal end times are decided by start, then by span id, so the
answer does not depend on the order in which runs arrived.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from mltrace_exporter.store.lineage.freshness import may_be_stale
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, run_io

NEARLY_EMPTY_BYTES = 64
_PRODUCER = "id", "component", "partition", "started_at", "ended_at"
"""What is to be known of a run that wrote something: who it is, and how fresh."""


def edges_of(
    run_id: sa.ColumnElement[int], position: sa.ColumnElement[int] | None = None
) -> sa.FromClause:
    """Return the edges of one run as a lateral.

    Its columns are producer_id, pointer_id, written_id, rule, changed and may_be_stale;
    ``pointer_id`` is the pointer as the consumer named it, ``written_id`` as the producer did.

    Args:
        run_id: the consumer.
        position: of the input that is asked about, NULL for declared edges; all if not given.
    """
    consumer = component_run.alias("consumer")
    parts = _read_edges(consumer, position), _declared_edges(consumer, position)
    found = sa.union_all(*parts).lateral("found")
    query = sa.select(found).select_from(consumer.join(found, sa.true()))
    return query.where(consumer.c.id == run_id).correlate_except(consumer, found).lateral("edge")


def _read_edges(
    consumer: sa.FromClause, position: sa.ColumnElement[int] | None
) -> sa.Select[int, int, int, str, bool, bool]:
    """Each input of the run, with the first producer that the rules give."""
    read = run_io.alias("read")
    linked = _linked(consumer, read)
    same = _same_content_and_name(consumer, read, linked)
    moved = _same_content(consumer, read, linked, same)
    named = _same_name(consumer, read, linked, same, moved)
    found = (linked, same, moved, named)
    producer = _take_first(found)
    changed = named.c.id.is_not(None) & (named.c.digest != read.c.digest) & _comparable(named, read)
    joined: sa.FromClause = read
    for each in found:
        joined = joined.outerjoin(each, sa.true())
    query = (
        sa.select(
            producer.c.id.label("producer_id"),
            read.c.pointer_id,
            sa.func.coalesce(linked.c.pointer_id, moved.c.pointer_id, read.c.pointer_id).label(
                "written_id"
            ),
            sa.case(
                (linked.c.id.is_not(None), "link"),
                (sa.func.coalesce(same.c.id, moved.c.id).is_not(None), "digest"),
                else_="name",
            ).label("rule"),
            sa.func.coalesce(changed, sa.false()).label("changed"),
            may_be_stale(consumer, producer).label("may_be_stale"),
        )
        .select_from(joined.join(producer, sa.true()))
        .where(
            read.c.run_id == consumer.c.id,
            is_direction(read, "input"),
            consumer.c.infers_dependencies,
            producer.c.id.is_not(None),
        )
        .correlate_except(read, producer, *found)
    )
    return query if position is None else query.where(read.c.position == position)


def _take_first(found: Sequence[sa.FromClause]) -> sa.FromClause:
    """The producer that one of the rules gave: the others gave none."""
    columns = (
        sa.func.coalesce(*(each.c[name] for each in found)).label(name) for name in _PRODUCER
    )
    return sa.select(*columns).correlate(*found).lateral("producer")


def _list_producer(run: sa.FromClause) -> list[sa.ColumnElement[object]]:
    return [run.c[name] for name in _PRODUCER]


def _comparable(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    """Of one algorithm: one program may sample a file that another one reads as a whole."""
    return sa.func.split_part(one.c.digest, ":", 1) == sa.func.split_part(other.c.digest, ":", 1)


def _linked(consumer: sa.FromClause, read: sa.FromClause) -> sa.FromClause:
    """Rule 1, with the producer's own name for the content where it can be told."""
    run, wrote = component_run.alias("linked_run"), run_io.alias("linked_io")
    # "IS TRUE" keeps the indexes over all runs out: one run's few outputs are to be looked through.
    same = ((wrote.c.digest == read.c.digest) | (wrote.c.pointer_id == read.c.pointer_id)).is_(True)
    return (
        sa.select(*_list_producer(run), wrote.c.pointer_id)
        .select_from(
            run.outerjoin(
                wrote, (wrote.c.run_id == run.c.id) & is_direction(wrote, "output") & same
            )
        )
        .where(
            run.c.trace_id == read.c.producer_trace_id,
            run.c.span_id == read.c.producer_span_id,
            run.c.id != consumer.c.id,
            is_final(run),
        )
        .order_by((wrote.c.pointer_id == read.c.pointer_id).desc().nulls_last(), wrote.c.position)
        .limit(1)
        .correlate(consumer, read)
        .lateral("linked")
    )


def _same_content_and_name(
    consumer: sa.FromClause, read: sa.FromClause, linked: sa.FromClause
) -> sa.FromClause:
    """Rule 2 for outputs of the name.

    Apart from other names, so that each is the end of one index: a content that never changes may
    have been written a million times.
    """
    wrote = run_io.alias("same_io")
    return (
        _last_writer(consumer, wrote)
        .where(
            linked.c.id.is_(None),
            wrote.c.digest == read.c.digest,
            wrote.c.pointer_id == read.c.pointer_id,
        )
        .correlate(consumer, read, linked)
        .lateral("same_content_and_name")
    )


def _same_content(
    consumer: sa.FromClause, read: sa.FromClause, linked: sa.FromClause, same: sa.FromClause
) -> sa.FromClause:
    """Rule 2 for outputs of any name."""
    wrote = run_io.alias("moved_io")
    return (
        _last_writer(consumer, wrote)
        .where(
            linked.c.id.is_(None),
            same.c.id.is_(None),
            wrote.c.digest == read.c.digest,
            read.c.size_bytes >= NEARLY_EMPTY_BYTES,
        )
        .correlate(consumer, read, linked, same)
        .lateral("same_content")
    )


def _same_name(
    consumer: sa.FromClause, read: sa.FromClause, *better: sa.FromClause
) -> sa.FromClause:
    """Rule 3."""
    wrote = run_io.alias("named_io")
    return (
        _last_writer(consumer, wrote)
        .where(*(each.c.id.is_(None) for each in better), wrote.c.pointer_id == read.c.pointer_id)
        .correlate(consumer, read, *better)
        .lateral("same_name")
    )


def _last_writer(consumer: sa.FromClause, wrote: sa.FromClause) -> sa.Select[*tuple[object, ...]]:
    """The last output in ``wrote`` before the consumer started, by somebody else."""
    run = component_run.alias()
    return (
        sa.select(*_list_producer(run), wrote.c.pointer_id, wrote.c.digest)
        .join_from(wrote, run, run.c.id == wrote.c.run_id)
        .where(
            is_direction(wrote, "output"),
            wrote.c.moment <= consumer.c.started_at,
            wrote.c.run_id != consumer.c.id,
        )
        .order_by(*_latest_first(wrote, run))
        .limit(1)
    )


def _declared_edges(
    consumer: sa.FromClause, position: sa.ColumnElement[int] | None
) -> sa.Select[int, int, int, str, bool, bool]:
    """The latest earlier run of each component that the run declared as upstream."""
    run = component_run.alias("declared_run")
    upstream = sa.func.unnest(consumer.c.upstream).table_valued("name").render_derived()
    latest = (
        sa.select(*_list_producer(run))
        .where(
            run.c.component == upstream.c.name,
            run.c.started_at < consumer.c.started_at,
            is_final(run),
        )
        .order_by(run.c.started_at.desc(), run.c.span_id.desc(), run.c.trace_id.desc())
        .limit(1)
        .correlate(consumer, upstream)
        .lateral("declared")
    )
    nothing = sa.cast(sa.null(), sa.BigInteger)
    query = (
        sa.select(
            *(latest.c.id, nothing, nothing, sa.literal("declared"), sa.false()),
            may_be_stale(consumer, latest),
        )
        .select_from(upstream.join(latest, sa.true()))
        .where(consumer.c.upstream != sa.literal_column("'{}'::text[]"))
        .correlate_except(upstream, latest)
    )
    return query if position is None else query.where(position.is_(None))


def is_direction(io: sa.FromClause, direction: str) -> sa.ColumnElement[bool]:
    """Return the condition that partial indexes know: spelled out, not bound as a parameter."""
    return io.c.direction == sa.literal_column(f"'{direction}'")


def is_final(run: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a run's own span arrived: no other is known to have produced."""
    return run.c.execution.not_in([sa.literal_column("'running'"), sa.literal_column("'aborted'")])


def find_last_writer(connection: sa.Connection, pointer_id: int) -> int | None:
    """Return the run that last wrote a pointer; None if no recorded run did."""
    root: int | None = connection.scalar(_select_writer(), {"pointer": pointer_id})
    return root


@prepared
def _select_writer() -> sa.Select[int]:
    return select_last_writer(sa.bindparam("pointer", type_=sa.BigInteger))


def select_last_writer(pointer_id: sa.ColumnElement[int]) -> sa.Select[int]:
    """Return the query for the run that last wrote a pointer; equal ends are decided as above."""
    wrote, run = run_io.alias(), component_run.alias()
    return (
        sa.select(run.c.id)
        .join_from(wrote, run, run.c.id == wrote.c.run_id)
        .where(wrote.c.pointer_id == pointer_id, is_direction(wrote, "output"))
        .order_by(*_latest_first(wrote, run))
        .limit(1)
    )


def _latest_first(wrote: sa.FromClause, run: sa.FromClause) -> tuple[sa.ColumnElement[object], ...]:
    return (
        wrote.c.moment.desc(),
        run.c.started_at.desc(),
        run.c.span_id.desc(),
        run.c.trace_id.desc(),
        wrote.c.position,
    )
