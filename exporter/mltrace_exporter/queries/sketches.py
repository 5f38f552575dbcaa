"""A lineage with no more of its runs than a drawing shows, so that thousands cost little."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mltrace_exporter.queries.lineage import Lineage, shape_edges
from mltrace_exporter.queries.runs import EXECUTIONS, explain_stale, judge_tests
from mltrace_exporter.store.liveness import explain_abort
from mltrace_exporter.store.runs import Outline, read_names, read_outlines
from mltrace_otel.contract.api import Execution, StaleReason, TestVerdict, TraceEdge


@dataclass(frozen=True, slots=True)
class SketchedRun:
    """A run of a lineage.

    Attributes:
        depth: the shortest distance, in readings, from the run that the lineage begins at.

    What the others mean stands at `RunSummary`.
    """

    id: int
    depth: int
    component: str
    owner: str | None
    started_at: datetime
    duration_s: float | None
    execution: Execution
    tests: TestVerdict
    stale: Sequence[StaleReason]
    partition: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Sketch:
    """A lineage.

    Attributes:
        output: the output that was asked about; None if it was the run.
        root: the run that it begins at.
        runs: nearest first.
        edges: among these.
        truncated: whether there are more runs.
    """

    output: str | None
    root: int
    runs: Sequence[SketchedRun]
    edges: Sequence[TraceEdge]
    truncated: bool


def sketch(connection: sa.Connection, lineage: Lineage) -> Sketch:
    """Return what a drawing shows of a lineage."""
    stale = explain_stale(connection, lineage.dependencies)
    runs = [
        _shape(row, lineage.depths[row.id], stale)
        for row in read_outlines(connection, lineage.depths)
    ]
    names = read_names(connection, {each.pointer for each in lineage.edges if each.pointer})
    return Sketch(
        output=lineage.output,
        root=lineage.root,
        runs=sorted(runs, key=lambda run: (run.depth, run.component, run.id)),
        edges=shape_edges(lineage.edges, names),
        truncated=lineage.truncated,
    )


def _shape(row: Outline, depth: int, stale: Mapping[int, Sequence[StaleReason]]) -> SketchedRun:
    ended = row.shown_end
    return SketchedRun(
        id=row.id,
        depth=depth,
        component=row.component,
        owner=row.owner,
        started_at=row.started_at,
        duration_s=(ended - row.started_at).total_seconds() if ended else None,
        execution=EXECUTIONS[row.shown_execution],
        tests=judge_tests(row.tests, row.failures),
        stale=stale.get(row.id, ()),
        partition=row.partition,
        message=row.message or explain_abort(row.execution, row.shown_execution, row.alive_at),
    )
