from collections.abc import Iterator

from lineages import make_sketch

from mltrace_exporter.panel.graph.diagram import make_diagram
from mltrace_exporter.panel.graph.outline import NESTING_LIMIT, Branch, grow_outline
from mltrace_exporter.queries.sketches import Sketch


def grow(trace: Sketch, *, is_upstream: bool = True) -> Branch:
    return grow_outline(make_diagram(trace, is_upstream=is_upstream))


def walk(branch: Branch, level: int = 0) -> Iterator[tuple[Branch, int]]:
    yield branch, level
    for child in branch.branches:
        yield from walk(child, level + 1)


def number(branch: Branch) -> int:
    return branch.box.run.id


def test_a_run_without_dependencies_is_a_tree_of_its_own() -> None:
    root = grow(make_sketch({1: 0}))
    assert (number(root), root.line, root.branches, root.repeats) == (1, None, [], [])


def test_a_run_that_two_runs_read_from_is_drawn_once_and_pointed_to_once() -> None:
    trace = make_sketch(
        {4: 0, 3: 1, 2: 1, 1: 2}, (4, 3, "a"), (4, 2, "b"), (3, 1, "c"), (2, 1, "c")
    )
    drawn = [branch for branch, _ in walk(grow(trace))]
    assert sorted(map(number, drawn)) == [1, 2, 3, 4]
    assert [box.run.id for branch in drawn for _, box in branch.repeats] == [1]


def test_everything_read_from_one_run_stands_on_one_branch() -> None:
    [branch] = grow(make_sketch({2: 0, 1: 1}, (2, 1, "a"), (2, 1, "b"), (2, 1, None))).branches
    assert branch.line is not None
    assert branch.line.names == ("a", "b")


def test_an_impact_grows_towards_what_was_made() -> None:
    trace = make_sketch({1: 0, 2: 1, 3: 2}, (2, 1, "a"), (3, 2, "b"))
    assert [number(branch) for branch, _ in walk(grow(trace, is_upstream=False))] == [1, 2, 3]


def test_runs_below_the_deepest_level_stand_beside_each_other() -> None:
    length = 2000
    edges = [(run_id, run_id + 1, f"{run_id}.csv") for run_id in range(length - 1)]
    trace = make_sketch({run_id: run_id for run_id in range(length)}, *edges)
    diagram = make_diagram(trace, is_upstream=True, view=None)
    drawn = list(walk(grow_outline(diagram)))
    assert [number(branch) for branch, _ in drawn] == list(range(length))
    assert max(level for _, level in drawn) == NESTING_LIMIT
    assert all(branch.is_nested == (branch.box.depth <= NESTING_LIMIT) for branch, _ in drawn)


def test_a_cycle_ends() -> None:
    trace = make_sketch({2: 0, 1: 1}, (2, 1, "a"), (1, 2, "b"))
    assert [number(branch) for branch, _ in walk(grow(trace))] == [2, 1]
