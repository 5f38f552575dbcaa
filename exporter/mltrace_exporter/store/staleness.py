"""What the tables know about the freshness of runs' dependencies.

A fresher run is one of the dependency's component and partition that began after the dependency
and before the consumer, and wrote the pointer that was consumed. Where the component never writes a
name twice (time-stamped files), any such run that wrote something counts; whether it does is told
from the first outputs of its latest runs before the consumer.
"""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.lineage.staleness import Dependency
from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.edges import edges_of, is_direction
from mltrace_exporter.store.schema import component_run, run_io
from mltrace_otel.contract.attributes import DEFAULT_STALENESS_THRESHOLD_S

_JUDGED_RUNS = 50
_JUDGED_OUTPUTS = 20


def read_dependencies(connection: sa.Connection, run_ids: Collection[int]) -> list[Dependency]:
    """Return what makes each run stale or fresh, one row for each pair of run and dependency."""
    asked = unnest(id=(list(run_ids), sa.BigInteger))
    edge = edges_of(asked.c.id)
    consumer, producer = component_run.alias("c"), component_run.alias("p")
    fresher = _fresher(consumer, producer, edge)
    age = sa.func.extract("epoch", consumer.c.started_at - producer.c.ended_at)
    threshold = sa.func.coalesce(consumer.c.staleness_threshold_s, DEFAULT_STALENESS_THRESHOLD_S)
    columns = (consumer.c.id, producer.c.id, producer.c.component, age, threshold)
    query = (
        sa.select(*columns, sa.func.count(fresher.c.id.distinct()))
        .select_from(
            asked.join(consumer, consumer.c.id == asked.c.id)
            .join(edge, sa.true())
            .join(producer, producer.c.id == edge.c.producer_id)
            .outerjoin(fresher, sa.true())
        )
        .group_by(*columns)
        .order_by(consumer.c.id, producer.c.id)
    )
    return [
        Dependency(consumer_id, producer_id, name, float(age_s), threshold_s, count)
        for consumer_id, producer_id, name, age_s, threshold_s, count in connection.execute(query)
    ]


def _fresher(
    consumer: sa.FromClause, producer: sa.FromClause, edge: sa.FromClause
) -> sa.FromClause:
    rewrote = _between(consumer, producer, "rewrote")
    wrote = run_io.alias("rewrote_io")
    same_name = rewrote[0].where(
        sa.exists()
        .where(
            wrote.c.run_id == rewrote[1].c.id,
            is_direction(wrote, "output"),
            wrote.c.pointer_id == edge.c.written_id,
        )
        .correlate(rewrote[1], edge)
    )
    ran = _between(consumer, producer, "ran")
    any_name = ran[0].where(
        sa.exists().where(run_io.c.run_id == ran[1].c.id, is_direction(run_io, "output")),
        sa.not_(_writes_names_twice(consumer, producer)),
    )
    return sa.union(same_name, any_name).lateral("fresher")


def _between(
    consumer: sa.FromClause, producer: sa.FromClause, name: str
) -> tuple[sa.Select[int], sa.FromClause]:
    """Runs of the producer's component and partition, begun after it and before the consumer."""
    run = component_run.alias(name)
    return sa.select(run.c.id).where(
        run.c.component == producer.c.component,
        run.c.partition.is_not_distinct_from(producer.c.partition),
        run.c.started_at > producer.c.started_at,
        run.c.started_at < consumer.c.started_at,
    ), run


def _writes_names_twice(consumer: sa.FromClause, producer: sa.FromClause) -> sa.Exists:
    run = component_run.alias("judged")
    latest = (
        sa.select(run.c.id, run.c.component)
        .where(run.c.component == producer.c.component, run.c.started_at < consumer.c.started_at)
        .order_by(run.c.started_at.desc(), run.c.span_id, run.c.trace_id)
        .limit(_JUDGED_RUNS)
        .correlate(consumer, producer)
        .lateral("latest")
    )
    one, other = run_io.alias("one"), run_io.alias("other")
    rival = component_run.alias("rival")
    found = sa.exists().where(
        one.c.run_id == latest.c.id,
        is_direction(one, "output"),
        one.c.position < _JUDGED_OUTPUTS,
        other.c.pointer_id == one.c.pointer_id,
        is_direction(other, "output"),
        other.c.run_id != one.c.run_id,
        rival.c.id == other.c.run_id,
        rival.c.component == latest.c.component,
        rival.c.started_at < consumer.c.started_at,
    )
    return found.correlate(consumer, producer)
