"""Is anything wrong further up? What is known of a run's ancestors, in numbers and sentences."""

from collections import Counter
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from mltrace_exporter.lineage.faults import explain_fault
from mltrace_exporter.store.lineage.ancestors import Upstream
from mltrace_exporter.store.lineage.staleness import read_stale
from mltrace_exporter.store.lineage.verdicts import Verdict, read_verdicts
from mltrace_otel.contract.api import (
    UPSTREAM_FAULT_LIMIT,
    Execution,
    UpstreamFault,
    UpstreamVerdict,
)


def judge_upstream(connection: sa.Connection, run_id: int, upstream: Upstream) -> UpstreamVerdict:
    """Return how many ancestors are stale, failed or aborted, and what is wrong with them."""
    ids = upstream.depths.keys() - {run_id}
    verdicts = read_verdicts(connection, ids)
    ends = Counter(verdict.execution for verdict in verdicts)
    edges = [edge for edge in upstream.edges if edge.consumer != run_id]
    return UpstreamVerdict(
        run_count=len(ids),
        failed_tests=sum(len(verdict.failed_tests) for verdict in verdicts),
        stale=len({each.consumer_id for each in read_stale(connection, edges)}),
        error=ends[Execution.ERROR],
        aborted=ends[Execution.ABORTED],
        truncated=upstream.truncated,
        faults=_list_faults(verdicts, upstream.depths)[:UPSTREAM_FAULT_LIMIT],
    )


def _list_faults(verdicts: Iterable[Verdict], depths: Mapping[int, int]) -> list[UpstreamFault]:
    faults = []
    for verdict in sorted(verdicts, key=lambda each: (depths[each.run_id], each.run_id)):
        depth = depths[verdict.run_id]
        sentence = explain_fault(verdict.component, verdict.execution, verdict.failed_tests, depth)
        if sentence:
            faults.append(UpstreamFault(verdict.run_id, depth, sentence))
    return faults
