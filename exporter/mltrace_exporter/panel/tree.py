"""A trace to the tree that its page draws: each run once, under the nearest run that read from it.

A run that several runs read from is drawn under one of them; the others point to it. Below
``NESTING_LIMIT`` levels the tree grows no deeper, because browsers stop nesting and phones run out
of width: runs from there on stand side by side and say which run they were read by.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from mltrace_otel.contract.api import Trace, TraceEdge, TraceNode

NESTING_LIMIT = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """One run read from another: what, and whether somebody altered it in between."""

    consumer_id: int
    producer_id: int
    pointers: list[str]
    """Names of what was read; none where the dependency was declared by hand."""
    content_changed_outside: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """A run of the trace with the runs it read from.

    Attributes:
        node: the run.
        reading: how the run above it read from it; None for the run that the trace began at.
        is_nested: False if it stands beside its consumer because the tree is too deep.
        branches: runs drawn under this one.
        repeats: readings from runs that are drawn elsewhere.
    """

    node: TraceNode
    reading: Reading | None
    is_nested: bool
    branches: list["Branch"] = field(default_factory=list)
    repeats: list[Reading] = field(default_factory=list)


def grow_tree(trace: Trace) -> Branch:
    """Arrange a trace as a tree whose root is the run that wrote the output."""
    nodes = {node.run.id: node for node in trace.nodes}
    readings = _group_edges(edge for edge in trace.edges if edge.producer_id in nodes)
    root = Branch(nodes[trace.run_id], None, is_nested=True)
    drawn, level = {trace.run_id}, [(root, root)]
    while level:
        level = [
            grown
            for branch, holder in level
            for grown in _grow_level(branch, holder, readings, nodes, drawn)
        ]
    return root


def _group_edges(edges: Iterable[TraceEdge]) -> dict[int, list[Reading]]:
    """Gather edges between the same two runs; answer the readings of each consumer."""
    between: defaultdict[tuple[int, int], list[TraceEdge]] = defaultdict(list)
    for edge in edges:
        between[edge.consumer_id, edge.producer_id].append(edge)
    readings: defaultdict[int, list[Reading]] = defaultdict(list)
    for (consumer_id, producer_id), edges_between in between.items():
        names = [edge.pointer for edge in edges_between if edge.pointer is not None]
        changed = any(edge.content_changed_outside for edge in edges_between)
        readings[consumer_id].append(Reading(consumer_id, producer_id, names, changed))
    return readings


def _grow_level(
    branch: Branch,
    holder: Branch,
    readings: dict[int, list[Reading]],
    nodes: dict[int, TraceNode],
    drawn: set[int],
) -> list[tuple[Branch, Branch]]:
    """Draw what one run read from; answer the new branches, each with the branch that holds it."""
    grown = []
    for reading in readings.get(branch.node.run.id, []):
        if reading.producer_id in drawn:
            branch.repeats.append(reading)
            continue
        drawn.add(reading.producer_id)
        node = nodes[reading.producer_id]
        nested = Branch(node, reading, is_nested=node.depth <= NESTING_LIMIT)
        keeper = branch if nested.is_nested else holder
        keeper.branches.append(nested)
        grown.append((nested, keeper))
    return grown
