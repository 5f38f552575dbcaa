"""What runs worked on, held against what their dependencies were built on."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.lineage.graph import group_producers
from mltrace_exporter.lineage.skew import Basis, find_bases
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges
from mltrace_exporter.store.references import list_kept, list_profiled, name_key
from mltrace_exporter.store.verdicts import Asked, Judged, Sentences, judge_profiles, tell_drifts
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
    asked = _find_asked(connection, edges)
    judged = judge_profiles(connection, asked.values(), RULE) if asked else {}
    return [Skew(basis, judged[keys]) for basis, keys in asked.items()]


def tell_skews(connection: sa.Connection, edges: Collection[Edge]) -> dict[Basis, Sentences]:
    """Return the same in sentences, the worst first; nothing of what had not drifted."""
    asked = _find_asked(connection, edges)
    told = tell_drifts(connection, asked.values(), RULE)
    return {basis: told[keys] for basis, keys in asked.items() if told[keys]}


def _find_asked(connection: sa.Connection, edges: Collection[Edge]) -> dict[Basis, Asked]:
    return {
        basis: tuple(map(name_key, (basis.now, *basis.before)))
        for basis in _find_bases(connection, edges)
    }


def _find_bases(connection: sa.Connection, edges: Collection[Edge]) -> Iterable[Basis]:
    if not edges:
        return ()
    profiled = list_profiled(connection, {id_ for edge in edges for id_ in edge[:2]})
    producers = _group(edges)
    # Most runs have nothing to be compared, which ends here.
    consumers = [
        consumer
        for consumer, those in producers.items()
        if consumer in profiled["input"]
        or (len(those) > 1 and not profiled["output"].isdisjoint(those))
    ]
    builders = {id_ for consumer in consumers for id_ in producers[consumer]}
    if not builders:
        return ()
    # Of those that are consumers themselves, all edges are there.
    producers |= _group(read_edges(connection, builders - producers.keys()))
    behind = {id_ for builder in builders for id_ in producers.get(builder, ())}
    return find_bases(consumers, producers, list_kept(connection, {*consumers, *builders, *behind}))


def _group(edges: Iterable[Edge]) -> dict[int, set[int]]:
    """Return whom each consumer depends on, each producer once."""
    return {consumer: set(those) for consumer, those in group_producers(edges).items()}
