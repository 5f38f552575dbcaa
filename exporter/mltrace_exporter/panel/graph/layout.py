"""Boxes and lines to coordinates: a layered drawing. Pure, deterministic, in pixels.

Each box stands a layer further from the root than all boxes that lead to it, so lines run one way.
Lines over several layers get a lane in each. igraph orders the layers so that few lines cross; the
heights are the closest to straight lines that keep the order and the distances. A layer of many
boxes is broken into rows, between which the lines run.
Source: Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981; heights by isotonic regression, Barlow et al., 1972.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from statistics import fmean

import igraph

BOX_WIDTH, BOX_HEIGHT = 208, 56
LAYER_GAP = 72
_BOX_GAP, _LANE_GAP, _COLUMN_GAP = 20, 12, 40
_LANE_LIMIT = 8_000  # lines that would take more are drawn straight across
_SWEEPS = 6
_LANE_WEIGHT = 4.0  # how much rather a lane is straight than a box in the middle of its lines

_TALL = 24  # boxes; a layer of more is broken into rows
_BREADTH = 0.5  # columns a row, of a layer that is so broken: about two thirds as high as wide

Link = tuple[int, int]
Row = tuple[int, ...]
"""Boxes side by side, or a single lane."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        spots: left and top of each box.
        lanes: of each line the left ends and heights of its lanes, one for each column it crosses.
        width: of everything.
        height: of everything.
    """

    spots: list[tuple[float, float]]
    lanes: dict[Link, list[tuple[float, float]]]
    width: float
    height: float


def lay_out(box_count: int, links: Sequence[Link], *, root: int = 0, mirrored: bool) -> Layout:
    """Return where boxes and lines are drawn.

    Args:
        box_count: boxes are numbered from 0.
        links: pairs of different boxes; the first is nearer to the root. Cycles are borne.
        root: where all links lead away from; the leftmost box.
        mirrored: whether it is the rightmost box instead.
    """
    forward = _cut_cycles(box_count, links, root)
    layer = _measure_layers(box_count, forward, root)
    lanes = _open_lanes(layer, forward)
    for chain in lanes.values():
        layer += [layer[chain[0]] + step for step in range(1, len(chain) - 1)]
    steps = [step for chain in lanes.values() for step in pairwise(chain)]
    layers = [_break(boxes_and_lanes, box_count) for boxes_and_lanes in _order(layer, steps)]
    heights = _align(box_count, layers, steps)
    places = {number: place for rows in layers for row in rows for place, number in enumerate(row)}
    lefts = _place_columns([max(map(len, rows)) for rows in layers], mirrored=mirrored)
    return Layout(
        spots=[
            (lefts[layer[box]][places[box]], heights[box] - BOX_HEIGHT / 2)
            for box in range(box_count)
        ],
        lanes={
            link: [
                *_pass_by(lefts[layer[near]][places[near] + 1 :], heights[near], above=False),
                *((left, heights[lane]) for lane in chain[1:-1] for left in lefts[layer[lane]]),
                *_pass_by(lefts[layer[far]][: places[far]], heights[far], above=True),
            ]
            for link, chain in lanes.items()
            for near, far in [link]
        },
        width=max(map(max, lefts)) + BOX_WIDTH,
        height=max(heights.values()) + BOX_HEIGHT / 2,
    )


def _break(column: Sequence[int], box_count: int) -> list[Row]:
    """Return the rows of a layer: of one box, or of several where there are many boxes."""
    boxes = [number for number in column if number < box_count]
    size = 1 if len(boxes) <= _TALL else ceil(sqrt(_BREADTH * len(boxes)))
    starts = {boxes[at]: tuple(boxes[at : at + size]) for at in range(0, len(boxes), size)}
    rows = [starts.get(number, (number,) if number >= box_count else ()) for number in column]
    return [row for row in rows if row]


def _place_columns(counts: Sequence[int], *, mirrored: bool) -> list[list[float]]:
    """Return the left ends of the columns of each layer, the nearest to the root first."""
    lefts: list[list[float]] = []
    end = -float(LAYER_GAP)
    for count in counts:
        start = end + LAYER_GAP
        lefts.append([start + place * (BOX_WIDTH + _COLUMN_GAP) for place in range(count)])
        end = lefts[-1][-1] + BOX_WIDTH
    if mirrored:
        return [[end - BOX_WIDTH - left for left in columns] for columns in lefts]
    return lefts


def _pass_by(lefts: Sequence[float], height: float, *, above: bool) -> list[tuple[float, float]]:
    """Return the way between rows, past the boxes of one that stand before or after."""
    away = BOX_HEIGHT / 2 + _BOX_GAP / 2
    return [(left, height - away if above else height + away) for left in lefts]


def _cut_cycles(box_count: int, links: Sequence[Link], root: int) -> list[Link]:
    """Return the links with those turned round that lead back to where a walk came from."""
    following: defaultdict[int, list[int]] = defaultdict(list)
    for near, far in links:
        following[near].append(far)
    entered, left = set[int](), set[int]()
    backward = set[Link]()
    for start in (root, *range(box_count)):
        path = [] if start in entered else [(start, iter(following[start]))]
        entered.add(start)
        while path:
            box, ahead = path[-1]
            for far in ahead:
                if far not in entered:
                    entered.add(far)
                    path.append((far, iter(following[far])))
                    break
                if far not in left:
                    backward.add((box, far))
            else:
                left.add(box)
                path.pop()
    turned = ((far, near) if (near, far) in backward else (near, far) for near, far in links)
    return list(dict.fromkeys(turned))


def _measure_layers(box_count: int, links: Sequence[Link], root: int) -> list[int]:
    """Return the longest distance of each box from the root, or from another beginning."""
    graph = igraph.Graph(box_count, links, directed=True)
    layer = [0] * box_count
    for box in graph.topological_sorting():
        layer[box] = max((layer[near] + 1 for near in graph.predecessors(box)), default=0)
    # A beginning that is not the root stands just before what it leads to.
    for box in range(box_count):
        ahead = graph.successors(box)
        if box != root and ahead and not graph.predecessors(box):
            layer[box] = min(layer[far] for far in ahead) - 1
    return layer


def _open_lanes(layer: Sequence[int], links: Sequence[Link]) -> dict[Link, list[int]]:
    """Return for each link what it runs through: its ends, between them a new number a layer."""
    chains: dict[Link, list[int]] = {}
    opened, number = 0, len(layer)
    for near, far in sorted(links, key=lambda link: layer[link[1]] - layer[link[0]]):
        needed = layer[far] - layer[near] - 1
        if opened + needed > _LANE_LIMIT:
            break
        chains[near, far] = [near, *range(number, number + needed), far]
        opened, number = opened + needed, number + needed
    return chains


def _order(layer: Sequence[int], steps: Sequence[Link]) -> list[list[int]]:
    """Return what each layer holds, from top to bottom."""
    graph = igraph.Graph(len(layer), steps, directed=True)
    across = [x for x, _ in graph.layout_sugiyama(layers=list(layer), hgap=1, vgap=1).coords]
    columns: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for number in sorted(range(len(layer)), key=lambda number: (across[number], number)):
        columns[layer[number]].append(number)
    return columns


def _align(
    box_count: int, layers: Sequence[Sequence[Row]], steps: Sequence[Link]
) -> dict[int, float]:
    """Return the height of the middle of each box and lane, 0 or more."""
    before: defaultdict[int, list[int]] = defaultdict(list)
    after: defaultdict[int, list[int]] = defaultdict(list)
    for near, far in steps:
        before[far].append(near)
        after[near].append(far)
    heights: dict[int, float] = {}
    for rows in layers:
        _settle(rows, [0.0] * len(rows), box_count, heights)
    for sweep in range(_SWEEPS):
        # At last both sides count, so that what was moved last does not stand out.
        sides = (before, after) if sweep == _SWEEPS - 1 else ((before, after)[sweep % 2],)
        for rows in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [fmean(_balance(number, sides, heights) for number in row) for row in rows]
            _settle(rows, wanted, box_count, heights)
    top = min(heights[box] for box in range(box_count)) - BOX_HEIGHT / 2
    lowest = min(*heights.values(), top + BOX_HEIGHT / 2)
    shift = max(-top, -lowest)
    return {number: height + shift for number, height in heights.items()}


def _balance(
    number: int, sides: Sequence[dict[int, list[int]]], heights: dict[int, float]
) -> float:
    near = [heights[other] for side in sides for other in side.get(number, ())]
    return sum(near) / len(near) if near else heights[number]


def _settle(
    rows: Sequence[Row], wanted: Sequence[float], box_count: int, heights: dict[int, float]
) -> None:
    """Give the rows of a layer the heights nearest to what is wanted at which nothing overlaps."""
    offsets = [0.0]
    for upper, lower in pairwise(rows):
        boxes = (upper[0] < box_count) + (lower[0] < box_count)
        offsets.append(offsets[-1] + boxes * BOX_HEIGHT / 2 + (_LANE_GAP, 16, _BOX_GAP)[boxes])
    # With the distances taken off, heights may not fall: merge neighbours until they do not.
    blocks: list[tuple[float, float, int]] = []
    for row, aim, offset in zip(rows, wanted, offsets, strict=True):
        weight = 1.0 if row[0] < box_count else _LANE_WEIGHT
        block = (aim - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            height, held, size = blocks.pop()
            total = held + block[1]
            mean = (height * held + block[0] * block[1]) / total
            block = (mean, total, size + block[2])
        blocks.append(block)
    level = (height for height, _, size in blocks for _ in range(size))
    for row, height, offset in zip(rows, level, offsets, strict=True):
        heights.update(dict.fromkeys(row, height + offset))
