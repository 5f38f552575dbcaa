"""What the tables know about the freshness of runs' dependencies.

A fresher run is one of the dependency's component and partition that began after the dependency
and before the consumer, and wrote the pointer that was consumed. Where the component never writes a
name twice (time-stamped files), any such run that wrote something counts; whether it does is told
from the first outputs of its latest runs before the consumer.

Most dependencies are young and have no run at all between them and their consumer, which their
edges tell; only for the others is anything counted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from mltrace_exporter.lineage.skew import Kept
from mltrace_exporter.lineage.staleness import FRESHER_LIMIT, Dependency
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.ancestors import Edge
from mltrace_exporter.store.lineage.edges import is_direction
from mltrace_exporter.store.lineage.freshness import (
    choose_threshold,
    measure_age,
    select_between,
)
from mltrace_exporter.store.lineage.skews import tell_skews
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, run_io

_JUDGED_RUNS = 10
_JUDGED_OUTPUTS = 10


def read_stale(connection: sa.Connection, edges: Iterable[Edge]) -> list[Dependency]:
    """Return those dependencies that make their consumer stale; most do not.

    Args:
        connection: to the database.
        edges: all that begin at the consumers.
    """
    edges = list(edges)
    skews = _tell_skews(connection, edges)
    written = {
        (edge.consumer, edge.producer, edge.written)
        for edge in edges
        if edge.may_be_stale or edge[:2] in skews
    }
    if not written:
        return []
    consumers, producers, pointers = zip(*written, strict=True)
    asked = {"consumer": consumers, "producer": producers, "pointer": pointers}
    found = [
        Dependency(*row, tuple(skews.get((row.consumer_id, row.producer_id), ())))
        for row in connection.execute(_select_stale(), asked)
    ]
    return [one for one in found if one.is_stale]


def _tell_skews(
    connection: sa.Connection, edges: Collection[Edge]
) -> Mapping[tuple[int, int], list[tuple[Kept, Sequence[str]]]]:
    """Return by consumer and producer what drifted, and how."""
    skews = defaultdict[tuple[int, int], list[tuple[Kept, Sequence[str]]]](list)
    for basis, sentences in tell_skews(connection, edges).items():
        skews[basis.consumer_id, basis.builder_id].append((basis.now, sentences))
    return skews


@prepared
def _select_stale() -> sa.Select[int, int, str, float, float, int]:
    asked = ask(consumer=sa.BigInteger, producer=sa.BigInteger, pointer=sa.BigInteger)
    found = select_dependencies(asked).subquery("found")
    return sa.select(found).order_by(found.c.consumer_id, found.c.producer_id)


def select_dependencies(asked: sa.FromClause) -> sa.Select[int, int, str, float, float, int]:
    """Return the query for what makes consumers stale.

    Args:
        asked: their edges, by columns ``consumer``, ``producer`` and ``pointer``, the one written.
    """
    pair = (
        sa.select(
            asked.c.consumer, asked.c.producer, sa.func.array_agg(asked.c.pointer).label("pointers")
        )
        .group_by(asked.c.consumer, asked.c.producer)
        .subquery("pair")
    )
    consumer, producer = component_run.alias("c"), component_run.alias("p")
    return sa.select(
        consumer.c.id.label("consumer_id"),
        producer.c.id.label("producer_id"),
        producer.c.component,
        measure_age(consumer, producer).label("age_s"),
        choose_threshold(consumer).label("threshold_s"),
        _count_fresher(consumer, producer, pair.c.pointers).label("fresher_count"),
    ).select_from(
        pair.join(consumer, consumer.c.id == pair.c.consumer).join(
            producer, producer.c.id == pair.c.producer
        )
    )


def _count_fresher(
    consumer: sa.FromClause, producer: sa.FromClause, pointers: sa.ColumnElement[object]
) -> sa.ColumnElement[int]:
    """Count the runs that replaced what the producer wrote, up to the limit."""
    between, run = select_between(consumer, producer)
    wrote, wrote_any = run_io.alias("rewrote"), run_io.alias("wrote_any")
    rewrote = (
        sa.exists()
        .where(
            wrote.c.run_id == run.c.id,
            is_direction(wrote, "output"),
            # "IS TRUE" keeps the index over all runs out: one run's outputs are looked through.
            (wrote.c.pointer_id == sa.any_(pointers)).is_(True),
        )
        .correlate_except(wrote)
    )
    replaced = sa.and_(
        sa.exists()
        .where(wrote_any.c.run_id == run.c.id, is_direction(wrote_any, "output"))
        .correlate_except(wrote_any),
        sa.not_(_writes_names_twice(consumer, producer)),
    )
    fresher = between.where(rewrote | replaced).limit(FRESHER_LIMIT).correlate_except(run)
    count = sa.select(sa.func.count()).select_from(fresher.lateral("fresher")).scalar_subquery()
    anything, _ = select_between(consumer, producer)
    return sa.case((anything.exists(), count), else_=0)


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
    first = (
        sa.select(run_io.c.pointer_id)
        .where(run_io.c.run_id == latest.c.id, is_direction(run_io, "output"))
        .order_by(run_io.c.position)
        .limit(_JUDGED_OUTPUTS)
        .lateral("first")
    )
    other, rival = run_io.alias("other"), component_run.alias("rival")
    # The oldest first: where a name is written again and again, it is one that qualifies.
    again = (
        sa.select(rival.c.id)
        .join_from(other, rival, rival.c.id == other.c.run_id)
        .where(
            other.c.pointer_id == first.c.pointer_id,
            is_direction(other, "output"),
            other.c.run_id != latest.c.id,
            rival.c.component == latest.c.component,
            rival.c.started_at < consumer.c.started_at,
        )
        .order_by(other.c.moment)
        .limit(1)
        .correlate(consumer, latest, first)
        .lateral("again")
    )
    joined = latest.join(first, sa.true()).join(again, sa.true())
    return sa.exists().select_from(joined).correlate(consumer, producer)
