"""Builds lineages for tests of what is drawn of them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from mltrace_exporter.queries.sketches import Sketch, SketchedRun
from mltrace_otel.contract import api
from mltrace_otel.contract.api import EdgeRule, Execution, TraceEdge


def make_sketch(
    depths: Mapping[int, int],
    *edges: tuple[int, int, str | None],
    changed: tuple[int, int] | None = None,
    runs: Collection[SketchedRun] = (),
) -> Sketch:
    """Return a lineage of runs by depth.

    Args:
        depths: depth of each run by its id; the first of depth 0 is the root.
        edges: consumer, producer and pointer of each.
        changed: consumer and producer between which content was altered.
        runs: those that are not like all others.
    """
    said = {run.id: run for run in runs}
    found = [
        replace(said.get(run_id) or make_sketched(run_id), depth=depth)
        for run_id, depth in depths.items()
    ]
    root = next(run_id for run_id, depth in depths.items() if depth == 0)
    read = [TraceEdge(*edge, EdgeRule.NAME, edge[:2] == changed) for edge in edges]
    return Sketch("output", root, found, read, truncated=False)


def make_sketched(
    run_id: int,
    component: str | None = None,
    execution: Execution = Execution.OK,
    tests: api.TestVerdict = api.TestVerdict.NONE,
    *,
    stale: bool = False,
) -> SketchedRun:
    """Return a run; by default of a component that no other has."""
    return SketchedRun(
        id=run_id,
        depth=0,
        component=component or f"step-{run_id}",
        owner=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_s=None,
        execution=execution,
        tests=tests,
        stale=[api.StaleReason("old_input", "etl (ID 1) was run 41 days ago.", 1)] if stale else [],
        partition=None,
        message=None,
    )
