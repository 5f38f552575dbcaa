"""A lineage with the runs of each component taken together."""

from collections import Counter

from mltrace_otel.contract.api import ComponentEdge, ComponentNode, ComponentTrace, Trace


def collapse(trace: Trace) -> ComponentTrace:
    """Return the components of a trace, nearest first, and what reads from what among them."""
    names = {node.run.id: node.run.component for node in trace.nodes}
    depths: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for node in trace.nodes:
        depths[node.run.component] = min(node.depth, depths.get(node.run.component, node.depth))
        counts[node.run.component] += 1
    return ComponentTrace(
        output=trace.output,
        run_id=trace.run_id,
        nodes=[
            ComponentNode(name, depth, counts[name])
            for name, depth in sorted(depths.items(), key=lambda item: (item[1], item[0]))
        ],
        edges=_collapse_edges(trace, names),
        truncated=trace.truncated,
    )


def _collapse_edges(trace: Trace, names: dict[int, str]) -> list[ComponentEdge]:
    counts: Counter[tuple[str, str]] = Counter()
    changed = set()
    for edge in trace.edges:
        pair = names[edge.consumer_id], names[edge.producer_id]
        counts[pair] += 1
        if edge.content_changed_outside:
            changed.add(pair)
    return [ComponentEdge(*pair, counts[pair], pair in changed) for pair in sorted(counts)]
