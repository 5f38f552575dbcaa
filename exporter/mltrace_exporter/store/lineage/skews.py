"""What runs worked on, held against what their dependencies were built on."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.lineage.skew import Basis, find_bases
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges
from mltrace_exporter.store.references import Judged, ProfileKey, judge_profiles, list_kept
from mltrace_otel.profiles.rules import Rule

RULE = Rule(rows=None)
"""A model is built on more rows than it is asked about."""


class Skew(NamedTuple):
    """What was compared, and how that ended."""

    basis: Basis
    judged: Judged


def read_skews(connection: sa.Connection, edges: Collection[Edge]) -> list[Skew]:
    """Return how what runs worked on differs from what those that they depend on were built on.

    Args:
        connection: to the database.
        edges: all that begin at the runs in question.
    """
    bases = _find_bases(connection, edges)
    # Many runs of a list worked on the same data, with a model of the same basis.
    judged = judge_profiles(connection, map(_list_keys, bases), RULE) if bases else {}
    return [Skew(basis, judged[_list_keys(basis)]) for basis in bases]


def _find_bases(connection: sa.Connection, edges: Collection[Edge]) -> list[Basis]:
    producers: defaultdict[int, set[int]] = defaultdict(set)
    for edge in edges:
        producers[edge.consumer].add(edge.producer)
    near = {*producers, *(id_ for each in producers.values() for id_ in each)}
    kept = list_kept(connection, near) if near else []
    profiled = {each.run_id for each in kept}
    # Most runs have nothing to be compared, which ends here.
    consumers = [
        consumer
        for consumer, each in producers.items()
        if consumer in profiled or (len(each) > 1 and not profiled.isdisjoint(each))
    ]
    builders = {id_ for consumer in consumers for id_ in producers[consumer]}
    if not builders:
        return []
    beyond = read_edges(connection, builders)
    kept += list_kept(connection, {edge.producer for edge in beyond} - near)
    pairs = {(edge.consumer, edge.producer) for edge in [*edges, *beyond]}
    return list(find_bases(consumers, pairs, kept))


def _list_keys(basis: Basis) -> tuple[ProfileKey, ...]:
    return tuple(
        ProfileKey(each.run_id, each.direction, each.variable)
        for each in (basis.now, *basis.before)
    )
