"""What produced this output, and what was made from it?"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.lineage.graph import measure_depths
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges, walk_upstream
from mltrace_exporter.store.lineage.descendants import read_descendants, read_readers
from mltrace_exporter.store.lineage.edges import select_last_writer
from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.refs import resolve_run
from mltrace_otel.contract.api import TRACE_LIMIT, EdgeRule, Trace, TraceEdge, TraceNode

_RULES = {rule.value: rule for rule in EdgeRule}


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a lineage is followed.

    Attributes:
        depth: how many edges away a run may be; all if nothing is said.
        limit: how many runs are returned at most, the nearest.
    """

    depth: int | None = None
    limit: int = TRACE_LIMIT


USUAL = Reach()


def trace_output(connection: sa.Connection, output: str, reach: Reach = USUAL) -> Trace:
    """Return the run that last wrote ``output`` and everything upstream of it, nearest first.

    Args:
        connection: to the database.
        output: its name.
        reach: how far the lineage is followed.

    Raises:
        NotFound: no recorded run wrote it.
    """
    root = find_writer(connection, output)
    return _shape(connection, follow_upstream(connection, root, output, reach))


def trace_run(connection: sa.Connection, ref: str, reach: Reach = USUAL) -> Trace:
    """Return a run and everything upstream of it, as `trace_output` does.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    root = resolve_run(connection, ref)
    return _shape(connection, follow_upstream(connection, root, None, reach))


def impact_output(connection: sa.Connection, output: str, reach: Reach = USUAL) -> Trace:
    """Return the run that last wrote ``output`` and everything that was made from that output.

    What was made from other outputs of the run is left out.

    Raises:
        NotFound: no recorded run wrote it.
    """
    root = find_writer(connection, output)
    return _shape(connection, follow_downstream(connection, root, output, reach))


def impact_run(connection: sa.Connection, ref: str, reach: Reach = USUAL) -> Trace:
    """Return a run and everything downstream of it.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    root = resolve_run(connection, ref)
    return _shape(connection, follow_downstream(connection, root, None, reach))


def find_writer(connection: sa.Connection, output: str) -> int:
    """Return the run that last wrote an output.

    Raises:
        NotFound: no recorded run wrote it.
    """
    root = connection.scalar(select_last_writer(sa.literal(hash_name(output), sa.BigInteger)))
    if root is None:
        raise NotFound(
            f"No recorded run wrote {output!r}. `mltrace inspect RUN` lists what a run wrote."
        )
    return root


@dataclass(frozen=True, slots=True)
class Lineage:
    """What was found.

    Attributes:
        root: the run that it begins at.
        output: the output that was asked about; None if it was the run.
        depths: how far away each of its runs is.
        edges: among these.
        dependencies: all edges that begin at one of them: how fresh a run is depends on each.
        truncated: whether there are more runs.
    """

    root: int
    output: str | None
    depths: Mapping[int, int]
    edges: Collection[Edge]
    dependencies: Collection[Edge]
    truncated: bool


def follow_upstream(
    connection: sa.Connection, root: int, output: str | None, reach: Reach = USUAL
) -> Lineage:
    """Return what is upstream of a run, which wrote ``output`` if one was asked about."""
    if reach.depth is None:
        found = walk_upstream(connection, root, reach.limit)
        edges = [edge for edge in found.edges if edge.producer in found.depths]
        return Lineage(root, output, found.depths, edges, found.edges, found.truncated)
    ids = _walk([root], reach, lambda level: [e.producer for e in read_edges(connection, level)])
    shown = ids[: reach.limit]
    begin = read_edges(connection, shown)
    edges = _select_edges(begin, shown)
    depths = measure_depths(root, edges)
    return Lineage(root, output, depths, edges, begin, truncated=len(ids) > len(shown))


def follow_downstream(
    connection: sa.Connection, root: int, output: str | None, reach: Reach = USUAL
) -> Lineage:
    """Return what was made from a run's ``output``, or from all that it wrote."""
    first = {
        edge.consumer for edge in read_readers(connection, [root]) if _concerns(edge, root, output)
    }
    ids = [root]
    if reach.depth is None:
        ids += read_descendants(connection, first, reach.limit + 1) if first else []
    elif reach.depth:
        ids += _walk(
            list(first),
            Reach(reach.depth - 1, reach.limit),
            lambda level: [edge.consumer for edge in read_readers(connection, level)],
        )
    ids = list(dict.fromkeys(ids))
    shown = ids[: reach.limit]
    begin = read_edges(connection, shown)
    edges = [edge for edge in _select_edges(begin, shown) if _concerns(edge, root, output)]
    depths = measure_depths(root, [(edge.producer, edge.consumer) for edge in edges])
    return Lineage(root, output, depths, edges, begin, truncated=len(ids) > len(shown))


def _select_edges(edges: Iterable[Edge], runs: Collection[int]) -> list[Edge]:
    """Return the edges among some runs."""
    shown = set(runs)
    return [edge for edge in edges if edge.producer in shown and edge.consumer in shown]


def _concerns(edge: Edge, root: int, output: str | None) -> bool:
    """Tell whether an edge belongs to an impact: of the root's, those that read the output."""
    of_root = edge.producer == root and output is not None and edge.written is not None
    return not of_root or edge.written == hash_name(output or "")


def _walk(
    roots: Collection[int], reach: Reach, step: Callable[[Collection[int]], Collection[int]]
) -> list[int]:
    """Return the roots and what is near enough to them, nearest first, and one more than asked."""
    found = dict.fromkeys(roots)
    level, depth = list(found), reach.depth or 0
    while level and depth and len(found) <= reach.limit:
        level = [run for run in dict.fromkeys(step(level)) if run not in found]
        found.update(dict.fromkeys(level))
        depth -= 1
    return list(found)


def _shape(connection: sa.Connection, lineage: Lineage) -> Trace:
    summaries = summarise(connection, lineage.depths, lineage.dependencies)
    nodes = [TraceNode(summaries[run_id], depth) for run_id, depth in lineage.depths.items()]
    return Trace(
        output=lineage.output,
        run_id=lineage.root,
        nodes=sorted(nodes, key=lambda node: (node.depth, node.run.component, node.run.id)),
        edges=[_shape_edge(edge) for edge in lineage.edges],
        truncated=lineage.truncated,
    )


def _shape_edge(edge: Edge) -> TraceEdge:
    consumer, producer, pointer, rule, changed, _ = edge
    return TraceEdge(consumer, producer, pointer, _RULES[rule], changed)
