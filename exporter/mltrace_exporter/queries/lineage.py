"""What produced this output, and what was made from it?"""

from collections.abc import Callable, Collection

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


def trace_output(connection: sa.Connection, output: str, *, depth: int | None = None) -> Trace:
    """Return the run that last wrote ``output`` and everything upstream of it, nearest first.

    Args:
        connection: to the database.
        output: its name.
        depth: how many edges away a run may be; all if nothing is said.

    Raises:
        NotFound: no recorded run wrote it.
    """
    return _trace(connection, find_writer(connection, output), output, depth)


def trace_run(connection: sa.Connection, ref: str, *, depth: int | None = None) -> Trace:
    """Return a run and everything upstream of it, as `trace_output` does.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    return _trace(connection, resolve_run(connection, ref), None, depth)


def impact_output(connection: sa.Connection, output: str, *, depth: int | None = None) -> Trace:
    """Return the run that last wrote ``output`` and everything that was made from that output.

    What was made from other outputs of the run is left out.

    Raises:
        NotFound: no recorded run wrote it.
    """
    return _impact(connection, find_writer(connection, output), output, depth)


def impact_run(connection: sa.Connection, ref: str, *, depth: int | None = None) -> Trace:
    """Return a run and everything downstream of it.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    return _impact(connection, resolve_run(connection, ref), None, depth)


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


def _trace(connection: sa.Connection, root: int, output: str | None, depth: int | None) -> Trace:
    if depth is None:
        ids, found = walk_upstream(connection, root, TRACE_LIMIT + 1)
    else:
        ids = _walk(
            [root],
            depth,
            lambda level: [edge.producer for edge in read_edges(connection, level)],
        )
        found = read_edges(connection, ids[:TRACE_LIMIT])
    shown = set(ids[:TRACE_LIMIT])
    edges = [edge for edge in found if edge.consumer in shown and edge.producer in shown]
    depths = measure_depths(root, [(edge.consumer, edge.producer) for edge in edges])
    return _shape(connection, output, root, depths, edges, found, cut=len(ids) > TRACE_LIMIT)


def _impact(connection: sa.Connection, root: int, output: str | None, depth: int | None) -> Trace:
    first = {
        edge.consumer for edge in read_readers(connection, [root]) if _concerns(edge, root, output)
    }
    ids = [root]
    if depth is None:
        ids += read_descendants(connection, first, TRACE_LIMIT + 1) if first else []
    elif depth:
        ids += _walk(
            list(first),
            depth - 1,
            lambda level: [edge.consumer for edge in read_readers(connection, level)],
        )
    ids = list(dict.fromkeys(ids))
    shown = set(ids[:TRACE_LIMIT])
    found = read_edges(connection, shown)
    edges = [edge for edge in found if edge.producer in shown and _concerns(edge, root, output)]
    depths = measure_depths(root, [(edge.producer, edge.consumer) for edge in edges])
    return _shape(connection, output, root, depths, edges, found, cut=len(ids) > TRACE_LIMIT)


def _concerns(edge: Edge, root: int, output: str | None) -> bool:
    """Tell whether an edge belongs to an impact: of the root's, those that read the output."""
    of_root = edge.producer == root and output is not None and edge.written is not None
    return not of_root or edge.written == hash_name(output or "")


def _walk(
    roots: Collection[int], depth: int, step: Callable[[Collection[int]], Collection[int]]
) -> list[int]:
    """Return the roots and what is at most so many steps away, nearest first."""
    found = dict.fromkeys(roots)
    level = list(found)
    while level and depth and len(found) <= TRACE_LIMIT:
        level = [run for run in dict.fromkeys(step(level)) if run not in found]
        found.update(dict.fromkeys(level))
        depth -= 1
    return list(found)


def _shape(  # noqa: PLR0913, PLR0917 - the parts of a trace
    connection: sa.Connection,
    output: str | None,
    root: int,
    depths: dict[int, int],
    edges: list[Edge],
    found: list[Edge],
    *,
    cut: bool,
) -> Trace:
    summaries = summarise(connection, depths, [edge for edge in found if edge.consumer in depths])
    nodes = [TraceNode(summaries[run_id], depth) for run_id, depth in depths.items()]
    return Trace(
        output=output,
        run_id=root,
        nodes=sorted(nodes, key=lambda node: (node.depth, node.run.component, node.run.id)),
        edges=[
            _shape_edge(edge)
            for edge in edges
            if edge.consumer in depths and edge.producer in depths
        ],
        truncated=cut,
    )


def _shape_edge(edge: Edge) -> TraceEdge:
    rule = EdgeRule(edge.rule)
    return TraceEdge(edge.consumer, edge.producer, edge.pointer, rule, edge.content_changed_outside)
