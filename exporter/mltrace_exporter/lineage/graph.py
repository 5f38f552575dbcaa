"""Walks over edges: pairs (consumer, producer) of run ids. Cycles cannot hang a walk."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

Edges = Iterable[tuple[int, int, *tuple[object, ...]]]
"""Consumer and producer, and whatever else an edge says."""


def measure_depths(root: int, edges: Edges) -> dict[int, int]:
    """Return for the root and each run upstream of it the shortest distance from the root."""
    producers = group_producers(edges)
    depths = {root: 0}
    waiting = deque([root])
    while waiting:
        run = waiting.popleft()
        for producer in producers.get(run, ()):
            if producer not in depths:
                depths[producer] = depths[run] + 1
                waiting.append(producer)
    return depths


def find_involved(roots: Sequence[int], edges: Edges) -> dict[int, int]:
    """Return which roots each run was involved in producing, as a bit mask.

    Bit ``i`` of a run's mask is set if the run is ``roots[i]`` or upstream of it. Masks carry all
    roots through the graph at once, so a thousand roots cost little more than one.
    """
    producers = group_producers(edges)
    masks: defaultdict[int, int] = defaultdict(int)
    for bit, root in enumerate(roots):
        masks[root] |= 1 << bit
    waiting = dict.fromkeys(roots)
    while waiting:
        run = next(iter(waiting))
        del waiting[run]
        for producer in producers.get(run, ()):
            grown = masks[producer] | masks[run]
            if grown != masks[producer]:
                masks[producer] = grown
                waiting[producer] = None
    return dict(masks)


def group_producers(edges: Edges) -> Mapping[int, list[int]]:
    """Return the producers of each consumer, some of them twice: to tell takes longer."""
    producers: defaultdict[int, list[int]] = defaultdict(list)
    for edge in edges:
        producers[edge[0]].append(edge[1])
    return producers
