"""Is anything wrong further up? What is known of a run's ancestors, in numbers."""

from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.lineage.staleness import explain_staleness
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges, walk_upstream
from mltrace_exporter.store.lineage.staleness import read_dependencies
from mltrace_exporter.store.lineage.verdicts import judge_runs
from mltrace_otel.contract.api import UPSTREAM_LIMIT, Execution, UpstreamVerdict


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
    """Return how many of the ancestors are stale, failed or aborted, and their failed tests."""
    ids = set(upstream.ancestors)
    failed_tests, ends = judge_runs(connection, ids)
    edges = [edge for edge in upstream.edges if edge.consumer in ids]
    stale = {
        dependency.consumer_id
        for dependency in (read_dependencies(connection, edges) if edges else ())
        if explain_staleness(dependency)
    }
    return UpstreamVerdict(
        run_count=len(ids),
        failed_tests=failed_tests,
        stale=len(stale),
        error=ends.get(Execution.ERROR, 0),
        aborted=ends.get(Execution.ABORTED, 0),
        truncated=upstream.truncated,
    )
