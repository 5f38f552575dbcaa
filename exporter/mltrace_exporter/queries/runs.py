"""Recent runs, a component's history, one run."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, groupby

import sqlalchemy as sa

from mltrace_exporter.lineage.staleness import explain_staleness
from mltrace_exporter.queries.components import require_component, require_tag
from mltrace_exporter.queries.cursors import make_cursor, read_cursor
from mltrace_exporter.queries.distributions import read_metrics, summarise_profiles
from mltrace_exporter.queries.notes import page_notes
from mltrace_exporter.queries.upstream import judge_upstream
from mltrace_exporter.store import runs as stored
from mltrace_exporter.store.ahead import read_ahead
from mltrace_exporter.store.lineage.ancestors import Edge, Upstream, read_edges, walk_upstream
from mltrace_exporter.store.lineage.staleness import read_stale
from mltrace_exporter.store.liveness import explain_abort
from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.selection import EVERYTHING, Cursor, Selection, count_runs, find_runs
from mltrace_otel.contract.api import (
    NOTE_LIMIT,
    POINTER_LIMIT,
    UPSTREAM_LIMIT,
    Execution,
    Pointer,
    Run,
    RunCount,
    RunPage,
    RunSummary,
    StaleReason,
    TestOutcome,
    TestVerdict,
)
from mltrace_otel.contract.attributes import DEFAULT_STALENESS_THRESHOLD_S

__all__ = [
    "EXECUTIONS",
    "STACKTRACE",
    "Selection",
    "count_selected",
    "explain_stale",
    "find_neighbours",
    "find_run",
    "get_run",
    "judge_tests",
    "list_pointers",
    "list_runs",
    "list_tests",
    "read_code",
    "summarise",
    "summarise_and_name",
]

EXECUTIONS = {execution.value: execution for execution in Execution}
"""Looked up, because to ask the enumeration takes longer than all the rest of a run."""
STACKTRACE = "exception.stacktrace"
"""An attribute of OpenTelemetry's, kept as it came."""


def list_runs(
    connection: sa.Connection,
    selection: Selection = EVERYTHING,
    *,
    limit: int = 20,
    before: str | None = None,
) -> RunPage:
    """Return the selected runs, as a rule newest first.

    Args:
        connection: to the database.
        selection: which runs, in which order.
        limit: how many, at most.
        before: `next_cursor` of the page before, or the number of a run; what comes behind it is
            returned.

    Raises:
        NotFound: the component, the tag or the run is unknown.
        MalformedRequest: ``before`` is no cursor of an earlier page.
    """
    _require_known(connection, selection)
    after = None if before is None else _read_before(connection, before)
    ids = find_runs(connection, selection, after=after, limit=limit + 1)
    summaries = summarise(connection, ids[:limit])
    items = [summaries[id_] for id_ in ids[:limit]]
    more = len(ids) > limit
    return RunPage(items, make_cursor(items[-1].started_at, items[-1].id) if more else None)


def count_selected(connection: sa.Connection, selection: Selection = EVERYTHING) -> RunCount:
    """Return how many runs are selected.

    Raises:
        NotFound: the component or the tag is unknown.
    """
    _require_known(connection, selection)
    return RunCount(count_runs(connection, selection))


def _read_before(connection: sa.Connection, before: str) -> Cursor:
    if "~" in before or not before.isalnum():
        return read_cursor(before)
    run_id = resolve_run(connection, before)
    return stored.read_start(connection, run_id), run_id


def _require_known(connection: sa.Connection, selection: Selection) -> None:
    if selection.component is not None:
        require_component(connection, selection.component)
    if selection.tag is not None:
        require_tag(connection, selection.tag)


def get_run(connection: sa.Connection, ref: str) -> Run:
    """Return everything about one run.

    Args:
        connection: to the database.
        ref: the run's id, or its span id in hex, whole or as far as it is unique.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    run_id = resolve_run(connection, ref)
    upstream = walk_upstream(connection, run_id, UPSTREAM_LIMIT + 1)
    edges = [edge for edge in upstream.edges if edge.consumer == run_id]
    producers = sorted({edge.producer for edge in edges})
    summaries = _summarise_near(connection, {run_id, *producers}, upstream)
    row = stored.read_details(connection, run_id)
    attributes = dict(row.attributes)
    notes = page_notes(connection, run_id, row, limit=NOTE_LIMIT).items
    return Run(
        summary=summaries[run_id],
        description=row.description,
        parent_id=row.parent_id,
        inputs=list_pointers(connection, [run_id], "input", edges).get(run_id, []),
        outputs=list_pointers(connection, [run_id], "output").get(run_id, []),
        test_outcomes=list_tests(connection, [run_id]).get(run_id, []),
        dependencies=[summaries[id_] for id_ in producers],
        notes=notes[0].text if notes else None,
        code=row.source,
        code_function=row.code_function,
        code_file=row.code_file,
        code_line=row.code_line,
        git_ref=row.git_ref,
        git_repository=row.git_repository,
        git_dirty=row.git_dirty,
        error_type=row.error_type,
        staleness_threshold_s=(
            DEFAULT_STALENESS_THRESHOLD_S
            if row.staleness_threshold_s is None
            else row.staleness_threshold_s
        ),
        stacktrace=attributes.pop(STACKTRACE, None),
        resource=row.resource,
        attributes=attributes,
        note_history=notes,
        upstream=judge_upstream(connection, run_id, upstream),
        profiles=summarise_profiles(connection, run_id),
        metrics=read_metrics(connection, run_id),
    )


def _summarise_near(
    connection: sa.Connection, run_ids: set[int], upstream: Upstream
) -> dict[int, RunSummary]:
    """Summarise a run and those that it read from, of which the walk may not have reached all."""
    edges = [edge for edge in upstream.edges if edge.consumer in run_ids]
    beyond = run_ids - upstream.depths.keys()
    return summarise(
        connection, run_ids, edges + (read_edges(connection, beyond) if beyond else [])
    )


def find_run(connection: sa.Connection, ref: str) -> int:
    """Return the id of a run.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    return resolve_run(connection, ref)


def find_neighbours(connection: sa.Connection, run_id: int) -> tuple[int | None, int | None]:
    """Return the ids of the component's runs just before and just after a run."""
    return stored.read_neighbours(connection, run_id)


def read_code(connection: sa.Connection, run_id: int) -> tuple[str | None, str | None]:
    """Return the code of a run as it was, and the name of its file; None for what was not sent."""
    row = stored.read_details(connection, run_id)
    return row.source, row.code_file


def summarise(
    connection: sa.Connection, run_ids: Collection[int], edges: Collection[Edge] | None = None
) -> dict[int, RunSummary]:
    """Return the summary of each run by its id; ``edges``, if known, are all that begin at them."""
    if edges is None:
        edges = read_edges(connection, run_ids) if run_ids else ()
    return summarise_and_name(connection, run_ids, edges)[0]


def summarise_and_name(
    connection: sa.Connection, run_ids: Collection[int], edges: Collection[Edge]
) -> tuple[dict[int, RunSummary], dict[int, str]]:
    """Return the summaries as `summarise` does, and the names of their and the edges' pointers."""
    if not run_ids:
        return {}, {}
    stale = explain_stale(connection, edges)
    summaries, names = dict[int, RunSummary](), dict[int, str]()
    for rows, found in read_ahead(partial(_read_rows, connection), run_ids):
        names.update(found)
        summaries |= {row.id: _shape_summary(row, stale.get(row.id, []), found) for row in rows}
    unlisted = {edge.pointer for edge in edges if edge.pointer is not None} - names.keys()
    if unlisted:
        names.update(stored.read_names(connection, unlisted))
    return summaries, names


def _read_rows(
    connection: sa.Connection, run_ids: Collection[int]
) -> tuple[list[stored.Summary], dict[int, str]]:
    """Return runs as they are stored, and the names of the pointers that they list."""
    rows = stored.read_summaries(connection, run_ids)
    pointers = set(chain.from_iterable(ids for row in rows for ids in (row.inputs, row.outputs)))
    return rows, stored.read_names(connection, pointers)


def explain_stale(
    connection: sa.Connection, edges: Collection[Edge]
) -> dict[int, list[StaleReason]]:
    """Return for those runs that are stale why; ``edges`` are all that begin at the runs."""
    return {
        run_id: [reason for one in group for reason in explain_staleness(one)]
        for run_id, group in groupby(read_stale(connection, edges), lambda one: one.consumer_id)
    }


def _shape_summary(
    row: stored.Summary, stale: list[StaleReason], names: Mapping[int, str]
) -> RunSummary:
    began, ended = row.started_at, row.shown_end
    return RunSummary(
        id=row.id,
        trace_id=row.trace_id,
        span_id=row.span_id,
        component=row.component,
        owner=row.owner,
        tags=row.tags or [],
        started_at=began,
        ended_at=ended,
        duration_s=(ended - began).total_seconds() if ended else None,
        execution=EXECUTIONS[row.shown_execution],
        tests=judge_tests(row.tests, row.failures),
        stale=stale,
        partition=row.partition,
        git_hash=row.git_hash,
        git_tags=row.git_tags,
        message=row.message or explain_abort(row.execution, row.shown_execution, row.alive_at),
        input_count=row.input_count,
        output_count=row.output_count,
        inputs=[names[id_] for id_ in row.inputs],
        outputs=[names[id_] for id_ in row.outputs],
    )


def judge_tests(tests: int, failures: int) -> TestVerdict:
    """Return the verdict of so many tests, of which so many failed."""
    if not tests:
        return TestVerdict.NONE
    return TestVerdict.FAILED if failures else TestVerdict.PASSED


def list_pointers(
    connection: sa.Connection,
    run_ids: Collection[int],
    direction: str,
    edges: Collection[Edge] = (),
) -> dict[int, list[Pointer]]:
    """Return the first inputs or outputs of runs; their producers are those that ``edges`` name."""
    found = {(edge.consumer, edge.pointer): edge for edge in edges}
    pointers: dict[int, list[Pointer]] = {}
    for run_id, *fields in stored.read_io(connection, run_ids, direction, POINTER_LIMIT):
        pointer = Pointer(*fields)
        edge = found.get((run_id, hash_name(pointer.name)))
        if edge:
            pointer = replace(
                pointer,
                producer_id=edge.producer,
                content_changed_outside=edge.content_changed_outside,
            )
        pointers.setdefault(run_id, []).append(pointer)
    return pointers


def list_tests(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, list[TestOutcome]]:
    """Return what the tests of runs found, in the order in which they ran."""
    tests: dict[int, list[TestOutcome]] = {}
    for row in stored.read_tests(connection, run_ids):
        outcome = TestOutcome(
            row.suite, row.case, row.phase, row.status, row.message, row.duration_s
        )
        tests.setdefault(row.run_id, []).append(outcome)
    return tests
