"""Is anything wrong further up? What is known of a run's ancestors, in numbers and sentences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.lineage.faults import explain_fault
from mltrace_exporter.lineage.graph import measure_depths
from mltrace_exporter.lineage.staleness import explain_staleness
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges, walk_upstream
from mltrace_exporter.store.lineage.staleness import read_dependencies
from mltrace_exporter.store.lineage.verdicts import Verdict, read_verdicts
from mltrace_otel.contract.api import (
    UPSTREAM_FAULT_LIMIT,
    UPSTREAM_LIMIT,
    Execution,
    UpstreamFault,
    UpstreamVerdict,
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A run, its nearest ancestors and all edges that begin at one of them.

    Attributes:
        run_id: the run.
        ancestors: at most ``UPSTREAM_LIMIT``.
        edges: also those of the run itself and of all that it read from.
        truncated: whether there are more ancestors.
    """

    run_id: int
    ancestors: list[int]
    edges: list[Edge]
    truncated: bool


def read_upstream(connection: sa.Connection, run_id: int) -> Upstream:
    """Return what is upstream of a run."""
    found, edges = walk_upstream(connection, run_id, UPSTREAM_LIMIT + 2)
    beyond = {edge.producer for edge in edges if edge.consumer == run_id} - set(found)
    if beyond:
        edges += read_edges(connection, beyond)
    ancestors = [id_ for id_ in found if id_ != run_id]
    truncated = len(ancestors) > UPSTREAM_LIMIT
    return Upstream(run_id, ancestors[:UPSTREAM_LIMIT], edges, truncated)


def judge_upstream(connection: sa.Connection, upstream: Upstream) -> UpstreamVerdict:
    """Return how many ancestors are stale, failed or aborted, and what is wrong with them."""
    ids = set(upstream.ancestors)
    verdicts = read_verdicts(connection, ids)
    ends = Counter(verdict.execution for verdict in verdicts)
    edges = [edge for edge in upstream.edges if edge.consumer in ids]
    stale = {
        dependency.consumer_id
        for dependency in (read_dependencies(connection, edges) if edges else ())
        if explain_staleness(dependency)
    }
    return UpstreamVerdict(
        run_count=len(ids),
        failed_tests=sum(len(verdict.failed_tests) for verdict in verdicts),
        stale=len(stale),
        error=ends[Execution.ERROR],
        aborted=ends[Execution.ABORTED],
        truncated=upstream.truncated,
        faults=_list_faults(upstream, verdicts)[:UPSTREAM_FAULT_LIMIT],
    )


def _list_faults(upstream: Upstream, verdicts: Sequence[Verdict]) -> list[UpstreamFault]:
    edges = ((edge.consumer, edge.producer) for edge in upstream.edges)
    depths = measure_depths(upstream.run_id, edges)
    faults = []
    for verdict in sorted(verdicts, key=lambda each: (depths[each.run_id], each.run_id)):
        depth = depths[verdict.run_id]
        sentence = explain_fault(verdict.component, verdict.execution, verdict.failed_tests, depth)
        if sentence:
            faults.append(UpstreamFault(verdict.run_id, depth, sentence))
    return faults
