from collections.abc import Iterator
from datetime import UTC, datetime

from mltrace_exporter.panel.tree import NESTING_LIMIT, Branch, grow_tree
from mltrace_otel.contract import api
from mltrace_otel.contract.api import EdgeRule, Execution, RunSummary, Trace, TraceEdge, TraceNode


def make_trace(depths: dict[int, int], *edges: tuple[int, int, str | None]) -> Trace:
    """Return a trace of runs by depth; an edge is consumer, producer and pointer."""
    nodes = [TraceNode(make_summary(run_id), depth) for run_id, depth in depths.items()]
    root = next(run_id for run_id, depth in depths.items() if depth == 0)
    read = [TraceEdge(*edge, EdgeRule.NAME, content_changed_outside=False) for edge in edges]
    return Trace("output", root, nodes, read, truncated=False)


def make_summary(run_id: int) -> RunSummary:
    return RunSummary(
        id=run_id,
        trace_id=f"{run_id:032x}",
        span_id=f"{run_id:016x}",
        component="step",
        owner=None,
        tags=[],
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        ended_at=None,
        duration_s=None,
        execution=Execution.OK,
        tests=api.TestVerdict.NONE,
        stale=[],
        partition=None,
        git_hash=None,
        git_tags=[],
        message=None,
        input_count=0,
        output_count=0,
        inputs=[],
        outputs=[],
    )


def walk(branch: Branch, level: int = 0) -> Iterator[tuple[Branch, int]]:
    yield branch, level
    for child in branch.branches:
        yield from walk(child, level + 1)


def test_a_run_without_dependencies_is_a_tree_of_its_own() -> None:
    root = grow_tree(make_trace({1: 0}))
    assert (root.node.run.id, root.reading, root.branches, root.repeats) == (1, None, [], [])


def test_a_run_that_two_runs_read_from_is_drawn_once_and_pointed_to_once() -> None:
    trace = make_trace({4: 0, 3: 1, 2: 1, 1: 2}, (4, 3, "a"), (4, 2, "b"), (3, 1, "c"), (2, 1, "c"))
    drawn = [branch for branch, _ in walk(grow_tree(trace))]
    assert sorted(branch.node.run.id for branch in drawn) == [1, 2, 3, 4]
    assert [read.producer_id for branch in drawn for read in branch.repeats] == [1]


def test_everything_read_from_one_run_stands_on_one_branch() -> None:
    trace = make_trace({2: 0, 1: 1}, (2, 1, "a"), (2, 1, "b"), (2, 1, None))
    [branch] = grow_tree(trace).branches
    assert branch.reading is not None
    assert branch.reading.pointers == ["a", "b"]


def test_edges_to_runs_outside_a_truncated_trace_are_left_out() -> None:
    assert grow_tree(make_trace({2: 0}, (2, 1, "a"))).branches == []


def test_runs_below_the_deepest_level_stand_beside_each_other() -> None:
    length = 2000
    edges = [(run_id, run_id + 1, f"{run_id}.csv") for run_id in range(length - 1)]
    drawn = list(walk(grow_tree(make_trace({run_id: run_id for run_id in range(length)}, *edges))))
    assert [branch.node.run.id for branch, _ in drawn] == list(range(length))
    assert max(level for _, level in drawn) == NESTING_LIMIT
    assert all(branch.is_nested == (branch.node.depth <= NESTING_LIMIT) for branch, _ in drawn)


def test_a_cycle_ends() -> None:
    trace = make_trace({2: 0, 1: 1}, (2, 1, "a"), (1, 2, "b"))
    assert [branch.node.run.id for branch, _ in walk(grow_tree(trace))] == [2, 1]
