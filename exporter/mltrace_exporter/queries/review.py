"""Which runs do the flagged outputs have in common?"""

from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest

import sqlalchemy as sa

from mltrace_exporter.lineage.suspicion import Score, score_runs
from mltrace_exporter.queries.drift import tell_recent_drift
from mltrace_exporter.queries.flags import list_flags
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.flags import count_flagged_by_run, count_unflagged
from mltrace_exporter.store.lineage.ancestors import read_lineage
from mltrace_exporter.store.lineage.evidence import Evidence, read_evidence
from mltrace_exporter.store.lineage.siblings import find_siblings
from mltrace_otel.contract.api import FLAG_LIMIT, Candidate, Review, ReviewSort, RunSummary

CONTRAST_LIMIT = 200
"""Runs whose outputs nobody flagged; more of them cost more and hardly change the order."""

LINEAGE_LIMIT = 200_000
"""Edges that are looked at."""

DRIFT_LIMIT = 20
"""Runs, of those that come first, whose data is compared with that of runs before."""


def review_flags(
    connection: sa.Connection,
    *,
    sort: ReviewSort = ReviewSort.COVERAGE,
    only: Collection[int] = (),
    limit: int = 20,
) -> Review:
    """Return the runs that produced the flagged outputs, most likely culprit first.

    Runs are sorted by coverage, then by suspicion (``sort`` can turn these two around). Equals are
    decided by evidence: a run that failed or whose tests failed comes first, then the one that
    began first, because a cause comes before its effects.

    Args:
        connection: to the database.
        sort: what comes first.
        only: ids of the open flags that count; all of them if none is named.
        limit: how many runs are returned.
    """
    flagged = count_flagged_by_run(connection, only)
    flag_count = sum(flagged.values())
    written = {run_id: count for run_id, count in flagged.items() if run_id is not None}
    scores = _score(connection, written, flag_count) if written else {}
    evidence = read_evidence(connection, _find_first(scores, sort, limit))
    ranked = sorted(evidence.values(), key=lambda each: _rank(scores[each.run_id], each, sort))
    shown = [each.run_id for each in ranked[:limit]]
    summaries = summarise(connection, shown)
    siblings = find_siblings(connection, shown, scores)
    drifts = tell_recent_drift(connection, shown[:DRIFT_LIMIT])
    return Review(
        flags=list_flags(connection, limit=FLAG_LIMIT),
        flag_count=flag_count,
        candidates=[
            _shape_candidate(
                summaries[run_id],
                scores[run_id],
                [*evidence[run_id].sentences(), *drifts.get(run_id, ())],
                siblings.get(run_id),
            )
            for run_id in shown
        ],
        sort=sort,
    )


def _score(
    connection: sa.Connection, flagged: Mapping[int, int], flag_count: int
) -> dict[int, Score]:
    unflagged = count_unflagged(connection, flagged, CONTRAST_LIMIT)
    edges = read_lineage(connection, {*flagged, *unflagged}, LINEAGE_LIMIT)
    return score_runs(flagged, unflagged, flag_count, edges)


def _find_first(scores: Mapping[int, Score], sort: ReviewSort, limit: int) -> list[int]:
    """Return those runs that could be among the first, whatever the evidence against each."""
    places = {run_id: _place(score, sort) for run_id, score in scores.items()}
    first = nsmallest(limit, places.values())
    return [run_id for run_id, place in places.items() if first and place <= first[-1]]


def _place(score: Score, sort: ReviewSort) -> tuple[float, float]:
    first, second = -score.coverage, -score.suspicion
    return (first, second) if sort is ReviewSort.COVERAGE else (second, first)


def _rank(score: Score, evidence: Evidence, sort: ReviewSort) -> tuple[object, ...]:
    return *_place(score, sort), not evidence.failed, evidence.started_at, evidence.run_id


def _shape_candidate(
    run: RunSummary, score: Score, evidence: Sequence[str], sibling: int | None
) -> Candidate:
    return Candidate(
        run=run,
        flagged_with=score.flagged_with,
        unflagged_with=score.unflagged_with,
        coverage=score.coverage,
        suspicion=score.suspicion,
        evidence=[*evidence, *(reason.sentence for reason in run.stale)],
        compare_to=sibling,
    )
