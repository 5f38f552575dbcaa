"""The tree from an output to its ancestors.

A lineage is a graph. Each run is shown in full once, under the nearest run that read from it;
elsewhere one line says where it is, so that diamonds cannot blow the tree up. Where the tree would
grow too deep to be read, a branch ends and a tree of its own continues it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from mltrace_otel.cli.render.layout import lines
from mltrace_otel.cli.render.words import ago, count, printable, status, warnings
from mltrace_otel.contract.api import Trace, TraceEdge, TraceNode

_LEVELS = 8
_NAMES_SHOWN = 3

_Reads = Mapping[int, Mapping[int, Sequence[TraceEdge]]]
"""By consumer and producer: what the one read from the other."""


def render_trace(trace: Trace, now: datetime) -> RenderableType:
    """Return the tree of a lineage."""
    title = Text(printable(trace.output or f"run {trace.run_id}"), style="bold", overflow="fold")
    upstream = count(len(trace.nodes) - 1, "run")
    title.append(f"  last written by run {trace.run_id}, {upstream} upstream", style="not bold")
    trees = _Forest(trace, now).grow()
    cut = [f"Only the nearest {len(trace.nodes):,} runs are shown."] if trace.truncated else []
    return Group(title, *trees, *warnings(cut))


class _Forest:
    """Grows the trees of one trace."""

    def __init__(self, trace: Trace, now: datetime) -> None:
        self._root = trace.run_id
        self._now = now
        self._nodes = {node.run.id: node for node in trace.nodes}
        self._reads = _group(trace.edges, self._nodes)
        self._homes = _find_homes(trace.run_id, self._reads)
        self._unfinished: deque[int] = deque()

    def grow(self) -> list[Tree]:
        trees = []
        self._unfinished.append(self._root)
        while self._unfinished:
            run_id = self._unfinished.popleft()
            tree = Tree(self._describe(run_id, ()), guide_style="dim")
            self._branch(tree, run_id, level=1)
            trees.append(tree)
        return trees

    def _branch(self, tree: Tree, consumer: int, level: int) -> None:
        for producer, edges in self._reads.get(consumer, {}).items():
            if self._homes.get(producer) != consumer:
                tree.add(self._refer(producer, edges))
                continue
            branch = tree.add(self._describe(producer, edges))
            if level < _LEVELS:
                self._branch(branch, producer, level + 1)
            elif self._reads.get(producer):
                branch.add(Text(f"continued below, at run {producer}", style="dim"))
                self._unfinished.append(producer)

    def _describe(self, run_id: int, edges: Sequence[TraceEdge]) -> RenderableType:
        node = self._nodes[run_id]
        head = _name(node)
        head.append(
            f" · depth {node.depth} · {ago(node.run.started_at, self._now)} · ", style="dim"
        )
        head.append_text(status(node.run))
        return lines(
            head,
            *_say_how(edges),
            *warnings(reason.sentence for reason in node.run.stale),
        )

    def _refer(self, run_id: int, edges: Sequence[TraceEdge]) -> RenderableType:
        line = _name(self._nodes[run_id])
        home = self._homes.get(run_id)
        place = "where the trace begins" if home is None else f"under run {home}"
        line.append(f" · shown {place}", style="dim")
        return lines(line, *_say_how(edges))


def _group(edges: Sequence[TraceEdge], nodes: Mapping[int, TraceNode]) -> _Reads:
    reads: dict[int, dict[int, list[TraceEdge]]] = {}
    for edge in edges:
        if edge.producer_id in nodes:
            producers = reads.setdefault(edge.consumer_id, {})
            producers.setdefault(edge.producer_id, []).append(edge)
    return reads


def _find_homes(root: int, reads: _Reads) -> dict[int, int | None]:
    """Return under which consumer each run is shown: the first one at the shortest distance."""
    homes: dict[int, int | None] = {root: None}
    queue = deque([root])
    while queue:
        consumer = queue.popleft()
        for producer in reads.get(consumer, {}):
            if producer not in homes:
                homes[producer] = consumer
                queue.append(producer)
    return homes


def _name(node: TraceNode) -> Text:
    line = Text(printable(node.run.component), style="bold", overflow="fold")
    return line.append(f" (run {node.run.id})", style="not bold")


def _say_how(edges: Sequence[TraceEdge]) -> list[Text]:
    """Return what the run wrote for its consumer, and what happened to it since."""
    pointers = [printable(edge.pointer) for edge in edges if edge.pointer is not None]
    parts = []
    if pointers:
        hidden = len(pointers) - _NAMES_SHOWN
        more = f" and {hidden:,} more" if hidden > 0 else ""
        wrote = f"wrote {', '.join(pointers[:_NAMES_SHOWN])}{more}"
        parts.append(Text(wrote, style="dim", overflow="fold"))
    if len(pointers) < len(edges):
        parts.append(Text("declared as upstream", style="dim"))
    changed = [edge.pointer for edge in edges if edge.content_changed_outside and edge.pointer]
    parts += warnings(f"content of {name} changed outside since it was written" for name in changed)
    return parts
