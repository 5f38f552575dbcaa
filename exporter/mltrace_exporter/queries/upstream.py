"""Is anything wrong further up? What is known of a run's ancestors, in numbers."""

import sqlalchemy as sa

from mltrace_exporter.lineage.staleness import explain_staleness
from mltrace_exporter.store.ancestry import judge_runs
from mltrace_exporter.store.edges import read_ancestors, read_edges
from mltrace_exporter.store.staleness import read_dependencies
from mltrace_otel.contract.api import UPSTREAM_LIMIT, Execution, UpstreamVerdict


def judge_upstream(connection: sa.Connection, run_id: int) -> UpstreamVerdict:
    """Return how many ancestors of a run are stale, failed or aborted, and their failed tests."""
    found = read_ancestors(connection, [run_id], UPSTREAM_LIMIT + 2)
    ids = [id_ for id_ in found if id_ != run_id]
    truncated, ids = len(ids) > UPSTREAM_LIMIT, ids[:UPSTREAM_LIMIT]
    failed_tests, ends = judge_runs(connection, ids)
    stale = {
        dependency.consumer_id
        for dependency in read_dependencies(connection, read_edges(connection, ids))
        if explain_staleness(dependency)
    }
    return UpstreamVerdict(
        run_count=len(ids),
        failed_tests=failed_tests,
        stale=len(stale),
        error=ends.get(Execution.ERROR, 0),
        aborted=ends.get(Execution.ABORTED, 0),
        truncated=truncated,
    )
