"""Builds traces for tests of what is drawn of them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from mltrace_otel.contract import api
from mltrace_otel.contract.api import EdgeRule, Execution, RunSummary, Trace, TraceEdge, TraceNode


def make_trace(
    depths: Mapping[int, int],
    *edges: tuple[int, int, str | None],
    changed: tuple[int, int] | None = None,
    runs: Collection[RunSummary] = (),
) -> Trace:
    """Return a trace of runs by depth.

    Args:
        depths: depth of each run by its id; the first of depth 0 is the root.
        edges: consumer, producer and pointer of each.
        changed: consumer and producer between which content was altered.
        runs: those that are not like all others.
    """
    said = {run.id: run for run in runs}
    nodes = [
        TraceNode(said.get(run_id) or make_summary(run_id), depth)
        for run_id, depth in depths.items()
    ]
    root = next(run_id for run_id, depth in depths.items() if depth == 0)
    read = [
        TraceEdge(*edge, EdgeRule.NAME, content_changed_outside=edge[:2] == changed)
        for edge in edges
    ]
    return Trace("output", root, nodes, read, truncated=False)


def make_summary(
    run_id: int,
    component: str | None = None,
    execution: Execution = Execution.OK,
    tests: api.TestVerdict = api.TestVerdict.NONE,
    *,
    stale: bool = False,
) -> RunSummary:
    """Return a run; by default of a component that no other has."""
    return RunSummary(
        id=run_id,
        trace_id=f"{run_id:032x}",
        span_id=f"{run_id:016x}",
        component=component or f"step-{run_id}",
        owner=None,
        tags=[],
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        ended_at=None,
        duration_s=None,
        execution=execution,
        tests=tests,
        stale=[api.StaleReason("old_input", "etl (ID 1) was run 41 days ago.", 1)] if stale else [],
        partition=None,
        git_hash=None,
        git_tags=[],
        message=None,
        input_count=0,
        output_count=0,
        inputs=[],
        outputs=[],
    )
