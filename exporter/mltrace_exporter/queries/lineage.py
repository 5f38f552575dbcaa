"""What produced this output, and what was made from it?"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.lineage.graph import measure_depths
from mltrace_exporter.queries.runs import summarise_and_name
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges, walk_upstream
from mltrace_exporter.store.lineage.descendants import read_downstream, read_readers
from mltrace_exporter.store.lineage.edges import find_last_writer
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
    root = find_last_writer(connection, hash_name(output))
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
    edges = _select_edges(begin, set(shown))
    depths = measure_depths(root, edges)
    return Lineage(root, output, depths, edges, begin, truncated=len(ids) > len(shown))


def follow_downstream(
    connection: sa.Connection, root: int, output: str | None, reach: Reach = USUAL
) -> Lineage:
    """Return what was made from a run's ``output``, or from all that it wrote."""
    first = {
        edge.consumer for edge in read_readers(connection, [root]) if _concerns(edge, root, output)
    }
    possible = {root, *_walk_downstream(connection, first, reach)}
    begin = read_edges(connection, possible)
    edges = [edge for edge in begin if edge.producer in possible and _concerns(edge, root, output)]
    depths = measure_depths(root, [(edge.producer, edge.consumer) for edge in edges])
    nearest = dict(islice(depths.items(), reach.limit))
    return Lineage(
        root,
        output,
        nearest,
        _select_edges(edges, nearest),
        [edge for edge in begin if edge.consumer in nearest],
        truncated=len(nearest) < len(depths),
    )


def _walk_downstream(
    connection: sa.Connection, first: Collection[int], reach: Reach
) -> Collection[int]:
    """Return whatever may be downstream and near enough, and is more than asked for if there is."""
    if reach.depth is None:
        return read_downstream(connection, first, reach.limit)
    if not reach.depth:
        return ()
    rest = Reach(reach.depth - 1, reach.limit)
    return _walk(first, rest, lambda level: [e.consumer for e in read_readers(connection, level)])


def _select_edges(edges: Iterable[Edge], runs: Collection[int]) -> list[Edge]:
    """Return the edges among some runs."""
    return [edge for edge in edges if edge.producer in runs and edge.consumer in runs]


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
    summaries, names = summarise_and_name(connection, lineage.depths, lineage.dependencies)
    nodes = [TraceNode(summaries[run_id], depth) for run_id, depth in lineage.depths.items()]
    return Trace(
        output=lineage.output,
        run_id=lineage.root,
        nodes=sorted(nodes, key=lambda node: (node.depth, node.run.component, node.run.id)),
        edges=shape_edges(lineage.edges, names),
        truncated=lineage.truncated,
    )


def shape_edges(edges: Iterable[Edge], names: Mapping[int, str]) -> list[TraceEdge]:
    """Return edges by consumer, producer and pointer; ``names`` are of pointers by their ids."""
    shaped = [
        TraceEdge(
            consumer, producer, None if pointer is None else names[pointer], _RULES[rule], changed
        )
        for consumer, producer, pointer, _, rule, changed, _ in edges
    ]
    return sorted(shaped, key=lambda it: (it.consumer_id, it.producer_id, it.pointer or ""))
