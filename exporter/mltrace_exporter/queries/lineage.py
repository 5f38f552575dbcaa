"""What produced this output?"""

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.lineage.graph import measure_depths
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.edges import (
    Edge,
    read_ancestors,
    read_edges,
    select_last_writer,
)
from mltrace_exporter.store.pointers import hash_name
from mltrace_otel.contract.api import TRACE_LIMIT, EdgeRule, Trace, TraceEdge, TraceNode


def trace_output(connection: sa.Connection, output: str) -> Trace:
    """Return the run that last wrote ``output`` and everything upstream of it, nearest first.

    Raises:
        NotFound: no recorded run wrote it.
    """
    root = connection.scalar(select_last_writer(sa.literal(hash_name(output), sa.BigInteger)))
    if root is None:
        raise NotFound(
            f"No recorded run wrote {output!r}. `mltrace inspect RUN` lists what a run wrote."
        )
    ids = read_ancestors(connection, [root], TRACE_LIMIT + 1)
    shown = set(ids[:TRACE_LIMIT])
    edges = [edge for edge in read_edges(connection, shown) if edge.producer in shown]
    return Trace(
        output=output,
        run_id=root,
        nodes=_list_nodes(connection, root, edges),
        edges=[_shape_edge(edge) for edge in edges],
        truncated=len(ids) > TRACE_LIMIT,
    )


def _list_nodes(connection: sa.Connection, root: int, edges: list[Edge]) -> list[TraceNode]:
    depths = measure_depths(root, [(edge.consumer, edge.producer) for edge in edges])
    summaries = summarise(connection, depths)
    nodes = [TraceNode(summaries[run_id], depth) for run_id, depth in depths.items()]
    return sorted(nodes, key=lambda node: (node.depth, node.run.component, node.run.id))


def _shape_edge(edge: Edge) -> TraceEdge:
    rule = EdgeRule(edge.rule)
    return TraceEdge(edge.consumer, edge.producer, edge.pointer, rule, edge.content_changed_outside)
