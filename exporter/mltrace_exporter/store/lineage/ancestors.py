"""Whom runs depend on: the edges walked upstream. In: runs. Out: their ancestors, and edges."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.lineage.graph import measure_depths
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.edges import edges_of
from mltrace_exporter.store.preparation import prepared

_SPARE_EDGES = 1000
"""How many more edges than runs are followed before the runs are looked for without them."""


class Edge(NamedTuple):
    """``consumer`` read ``pointer`` from ``producer``, who had named it ``written``.

    All four are ids. A declared edge has no pointers. Only where it ``may_be_stale`` can the
    producer's age, or a fresher run, make the consumer stale.
    """

    consumer: int
    producer: int
    pointer: int | None
    written: int | None
    rule: str
    content_changed_outside: bool
    may_be_stale: bool


@dataclass(frozen=True, slots=True)
class Upstream:
    """A run and what is upstream of it.

    Attributes:
        depths: for each run the shortest distance, nearest first.
        edges: all that begin at one of these runs.
        truncated: whether more runs are upstream than were asked for.
    """

    depths: dict[int, int]
    edges: list[Edge]
    truncated: bool


def read_ancestors(connection: sa.Connection, roots: Collection[int], limit: int) -> list[int]:
    """Return the roots and every run upstream of them, nearest first, at most ``limit`` ids.

    Each run is expanded once, so diamonds cost nothing extra and cycles end.
    """
    parameters = {"id": list(roots), "limit": limit}
    return list(connection.scalars(_select_ancestors(), parameters))


def read_edges(connection: sa.Connection, consumers: Collection[int]) -> list[Edge]:
    """Return all edges that begin at one of ``consumers``."""
    rows = connection.execute(_select_edges(), {"id": list(consumers)})
    return list(map(Edge._make, rows.all()))


def walk_upstream(connection: sa.Connection, root: int, limit: int) -> Upstream:
    """Return a run and the ``limit - 1`` runs nearest to it upstream, with their edges."""
    most = limit + _SPARE_EDGES
    rows = connection.execute(_select_walk(), {"root": root, "limit": most + 1}).all()
    edges = [Edge._make(row) for row in rows if row[0] is not None]
    edges.sort(key=itemgetter(0, 1))
    depths = measure_depths(root, edges)
    nearest = dict(islice(depths.items(), limit))
    # Steps follow each other, so edges are missing of the farthest only.
    if len(rows) > most and max(nearest.values()) >= max(depths[edge.consumer] for edge in edges):
        return _walk_runs(connection, root, limit)
    if len(nearest) < len(depths):
        edges = [edge for edge in edges if edge.consumer in nearest]
    return Upstream(nearest, edges, truncated=len(nearest) < len(depths))


def _walk_runs(connection: sa.Connection, root: int, limit: int) -> Upstream:
    """Find the runs first, and then their edges, of which there are too many to follow each."""
    ids = read_ancestors(connection, [root], limit + 1)
    nearest = set(ids[:limit])
    edges = read_edges(connection, nearest)
    depths = measure_depths(root, [edge for edge in edges if edge.producer in nearest])
    return Upstream(depths, edges, truncated=len(ids) > limit)


def read_lineage(
    connection: sa.Connection, roots: Collection[int], limit: int
) -> list[tuple[int, int]]:
    """Return consumer and producer of every edge at or upstream of the roots, at most ``limit``.

    For those who need no more than that: half the work of `read_ancestors` and `read_edges`.
    """
    parameters = {"id": list(roots), "limit": limit}
    rows = connection.execute(_select_lineage(), parameters)
    return [(consumer, producer) for consumer, producer in rows if consumer is not None]


# Built once: to build such a statement takes longer than to run it.
@prepared
def _select_ancestors() -> sa.Select[int]:
    start = ask(id=sa.BigInteger)
    upstream = sa.select(start.c.id).cte("upstream", recursive=True)
    edge = edges_of(upstream.c.id)
    upstream = upstream.union(
        sa.select(edge.c.producer_id).select_from(upstream.join(edge, sa.true()))
    )
    return sa.select(upstream.c.id).limit(sa.bindparam("limit", type_=sa.BigInteger))


@prepared
def _select_lineage() -> sa.Select[int, int]:
    start = ask(id=sa.BigInteger)
    nobody = sa.cast(sa.null(), sa.BigInteger).label("consumer_id")
    walked = sa.select(nobody, start.c.id.label("producer_id")).cte("walked", recursive=True)
    # A run that several of the last step read from is expanded once for all of them.
    level = sa.select(walked.c.producer_id.label("id")).distinct().subquery("level")
    edge = edges_of(level.c.id)
    walked = walked.union(
        sa.select(level.c.id, edge.c.producer_id).select_from(level.join(edge, sa.true()))
    )
    return sa.select(walked).limit(sa.bindparam("limit", type_=sa.BigInteger))


@prepared
def _select_walk() -> sa.Select[int, int, int, int, str, bool, bool]:
    nothing = sa.cast(sa.null(), sa.BigInteger)
    begun = sa.select(
        nothing.label("consumer_id"),
        sa.cast(sa.bindparam("root"), sa.BigInteger).label("producer_id"),
        nothing.label("pointer_id"),
        nothing.label("written_id"),
        sa.cast(sa.null(), sa.Text).label("rule"),
        sa.false().label("changed"),
        sa.false().label("may_be_stale"),
    )
    walked = begun.cte("walked", recursive=True)
    level = sa.select(walked.c.producer_id.label("id")).distinct().subquery("level")
    edge = edges_of(level.c.id)
    walked = walked.union(sa.select(level.c.id, *edge.c).select_from(level.join(edge, sa.true())))
    limit = sa.bindparam("limit", type_=sa.BigInteger)
    return sa.select(walked).limit(limit)


@prepared
def _select_edges() -> sa.Select[int, int, int, int, str, bool, bool]:
    asked = ask(id=sa.BigInteger)
    edge = edges_of(asked.c.id)
    return (
        sa.select(asked.c.id, *edge.c)
        .select_from(asked.join(edge, sa.true()))
        .order_by(asked.c.id, edge.c.producer_id)
    )
