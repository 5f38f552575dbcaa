"""How fresh a producer was when its consumer began, as far as a look into an index tells."""

import sqlalchemy as sa

from mltrace_exporter.store.schema import component_run, key_partition
from mltrace_otel.contract.attributes import DEFAULT_STALENESS_THRESHOLD_S


def may_be_stale(consumer: sa.FromClause, producer: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a dependency may make its consumer stale; of most it tells no.

    Args:
        consumer: the run in question, a row of ``component_run``.
        producer: the run that it depends on: component, partition, started_at, ended_at.
    """
    anything, _ = select_between(consumer, producer)
    is_old = measure_age(consumer, producer) > choose_threshold(consumer)
    return sa.func.coalesce(is_old, sa.false()) | anything.exists()


def measure_age(consumer: sa.FromClause, producer: sa.FromClause) -> sa.ColumnElement[float]:
    """Return how long before the consumer began the producer had ended, in seconds."""
    # Not EXTRACT: that makes a numeric, by way of a text.
    return sa.func.date_part("epoch", consumer.c.started_at - producer.c.ended_at, type_=sa.Double)


def choose_threshold(consumer: sa.FromClause) -> sa.ColumnElement[float]:
    """Return the age in seconds above which what the consumer depends on is old."""
    return sa.func.coalesce(consumer.c.staleness_threshold_s, DEFAULT_STALENESS_THRESHOLD_S)


def select_between(
    consumer: sa.FromClause, producer: sa.FromClause
) -> tuple[sa.Select[int], sa.FromClause]:
    """Return the query for runs of the producer's component and partition, and its table.

    Those are meant that began after the producer and before the consumer.
    """
    run = component_run.alias()
    query = sa.select(run.c.id).where(
        run.c.component == producer.c.component,
        # The first finds it in the index, the second tells no partition from an empty name.
        key_partition(run) == key_partition(producer),
        run.c.partition.is_not_distinct_from(producer.c.partition),
        run.c.started_at > producer.c.started_at,
        run.c.started_at < consumer.c.started_at,
    )
    return query.correlate(consumer, producer), run
