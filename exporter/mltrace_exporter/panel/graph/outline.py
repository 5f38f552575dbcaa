"""A diagram to a nested list: each box once, under the nearest box that leads to it.

A box that several others lead to stands under one of them; the others point to it. Below
``NESTING_LIMIT`` levels the list grows no deeper, because browsers stop nesting and phones run out
of width: boxes from there on stand side by side and say which box they would stand under.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from mltrace_exporter.panel.graph.diagram import Box, Diagram, Line

NESTING_LIMIT = 12


@dataclass(frozen=True, slots=True)
class Branch:
    """A box with those that are one step further away.

    Attributes:
        box: the box.
        line: what joins it to the box above; None for the root.
        above: that box.
        is_nested: False if it stands beside that box because the list is too deep.
        branches: boxes under this one.
        repeats: lines to boxes that stand elsewhere, each with the box.
    """

    box: Box
    line: Line | None
    above: Box | None
    is_nested: bool
    branches: list["Branch"] = field(default_factory=list)
    repeats: list[tuple[Line, Box]] = field(default_factory=list)


def grow_outline(diagram: Diagram) -> Branch:
    """Arrange a diagram as a tree whose root is the box that the lineage begins at."""
    boxes = {box.key: box for box in diagram.boxes}
    ahead: defaultdict[str, list[tuple[Line, Box]]] = defaultdict(list)
    for line in diagram.lines:
        here, there = (
            (line.consumer, line.producer)
            if diagram.is_upstream
            else (line.producer, line.consumer)
        )
        ahead[here].append((line, boxes[there]))
    root = Branch(boxes[diagram.root], None, None, is_nested=True)
    drawn, level, depth = {diagram.root}, [(root, root)], 0
    while level:
        depth += 1
        level = [
            grown
            for branch, holder in level
            for grown in _grow_level(branch, holder, ahead, drawn, depth)
        ]
    return root


def _grow_level(
    branch: Branch,
    holder: Branch,
    ahead: dict[str, list[tuple[Line, Box]]],
    drawn: set[str],
    depth: int,
) -> list[tuple[Branch, Branch]]:
    """Put what one box leads to under it; return new branches, each with the one that holds it."""
    grown = []
    for line, box in ahead.get(branch.box.key, []):
        if box.key in drawn:
            branch.repeats.append((line, box))
            continue
        drawn.add(box.key)
        nested = Branch(box, line, branch.box, is_nested=depth <= NESTING_LIMIT)
        keeper = branch if nested.is_nested else holder
        keeper.branches.append(nested)
        grown.append((nested, keeper))
    return grown
