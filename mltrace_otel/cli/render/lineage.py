"""The trees from an output to the runs that led to it, and to those that were made from it.

A lineage is a graph. Each run is shown in full once, under the nearest run on the way from the
output; elsewhere one line says where it is, so that diamonds cannot blow the tree up. Where the
tree would grow too deep to be read, a branch ends and a tree of its own continues it.
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

_Steps = Mapping[int, Mapping[int, Sequence[TraceEdge]]]
"""By a run and the one a step further away: what the one read from the other."""


def render_trace(trace: Trace, now: datetime) -> RenderableType:
    """Return the tree from an output to the runs that led to it."""
    return _render(trace, now, "upstream", "wrote")


def render_impact(trace: Trace, now: datetime) -> RenderableType:
    """Return the tree from an output to the runs that were made from it."""
    return _render(trace, now, "downstream", "read")


def _render(trace: Trace, now: datetime, way: str, verb: str) -> RenderableType:
    title = Text(printable(trace.output or f"run {trace.run_id}"), style="bold", overflow="fold")
    others = count(len(trace.nodes) - 1, "run")
    title.append(f"  last written by run {trace.run_id}, {others} {way}", style="not bold")
    trees = _Forest(trace, now, verb).grow()
    cut = [f"Only the nearest {len(trace.nodes):,} runs are shown."] if trace.truncated else []
    return Group(title, *trees, *warnings(cut))


class _Forest:
    """Grows the trees of one trace."""

    def __init__(self, trace: Trace, now: datetime, verb: str) -> None:
        self._root = trace.run_id
        self._now = now
        self._verb = verb
        self._nodes = {node.run.id: node for node in trace.nodes}
        self._steps = _group(trace.edges, self._nodes, reverse=verb == "read")
        self._homes = _find_homes(trace.run_id, self._steps)
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

    def _branch(self, tree: Tree, near: int, level: int) -> None:
        for far, edges in self._steps.get(near, {}).items():
            if self._homes.get(far) != near:
                tree.add(self._refer(far, edges))
                continue
            branch = tree.add(self._describe(far, edges))
            if level < _LEVELS:
                self._branch(branch, far, level + 1)
            elif self._steps.get(far):
                branch.add(Text(f"continued below, at run {far}", style="dim"))
                self._unfinished.append(far)

    def _describe(self, run_id: int, edges: Sequence[TraceEdge]) -> RenderableType:
        node = self._nodes[run_id]
        head = _name(node)
        head.append(
            f" · depth {node.depth} · {ago(node.run.started_at, self._now)} · ", style="dim"
        )
        head.append_text(status(node.run))
        return lines(
            head,
            *_say_how(edges, self._verb),
            *warnings(reason.sentence for reason in node.run.stale),
        )

    def _refer(self, run_id: int, edges: Sequence[TraceEdge]) -> RenderableType:
        line = _name(self._nodes[run_id])
        home = self._homes.get(run_id)
        place = "where the trace begins" if home is None else f"under run {home}"
        line.append(f" · shown {place}", style="dim")
        return lines(line, *_say_how(edges, self._verb))


def _group(edges: Sequence[TraceEdge], nodes: Mapping[int, TraceNode], *, reverse: bool) -> _Steps:
    steps: dict[int, dict[int, list[TraceEdge]]] = {}
    for edge in edges:
        near, far = edge.consumer_id, edge.producer_id
        if reverse:
            near, far = far, near
        if far in nodes:
            steps.setdefault(near, {}).setdefault(far, []).append(edge)
    return steps


def _find_homes(root: int, steps: _Steps) -> dict[int, int | None]:
    """Return under which run each is shown: the first one at the shortest distance."""
    homes: dict[int, int | None] = {root: None}
    queue = deque([root])
    while queue:
        near = queue.popleft()
        for far in steps.get(near, {}):
            if far not in homes:
                homes[far] = near
                queue.append(far)
    return homes


def _name(node: TraceNode) -> Text:
    line = Text(printable(node.run.component), style="bold", overflow="fold")
    return line.append(f" (run {node.run.id})", style="not bold")


def _say_how(edges: Sequence[TraceEdge], verb: str) -> list[Text]:
    """Return what the run wrote or read, and what happened to it in between."""
    pointers = [printable(edge.pointer) for edge in edges if edge.pointer is not None]
    parts = []
    if pointers:
        hidden = len(pointers) - _NAMES_SHOWN
        more = f" and {hidden:,} more" if hidden > 0 else ""
        said = f"{verb} {', '.join(pointers[:_NAMES_SHOWN])}{more}"
        parts.append(Text(said, style="dim", overflow="fold"))
    if len(pointers) < len(edges):
        parts.append(Text("declared as upstream", style="dim"))
    changed = [edge.pointer for edge in edges if edge.content_changed_outside and edge.pointer]
    parts += warnings(f"content of {name} changed outside since it was written" for name in changed)
    return parts
