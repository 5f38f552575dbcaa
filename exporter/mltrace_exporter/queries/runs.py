"""Recent runs, a component's history, one run."""

import re
from collections.abc import Collection
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from mltrace_exporter.errors import MalformedRequest, NotFound
from mltrace_exporter.lineage.staleness import explain_staleness
from mltrace_exporter.queries.components import get_component, list_tagged
from mltrace_exporter.store import runs as stored
from mltrace_exporter.store.edges import Edge, read_edges
from mltrace_exporter.store.staleness import read_dependencies
from mltrace_otel.contract.api import (
    POINTER_LIMIT,
    Execution,
    Pointer,
    Run,
    RunPage,
    RunSummary,
    StaleReason,
    TestOutcome,
    TestVerdict,
)
from mltrace_otel.contract.attributes import DEFAULT_STALENESS_THRESHOLD_S

_SPAN_ID_DIGITS = 16
_STACKTRACE = "exception.stacktrace"  # an attribute of OpenTelemetry's, kept as it came


def list_runs(
    connection: sa.Connection,
    *,
    component: str | None = None,
    tag: str | None = None,
    limit: int = 20,
    before: str | None = None,
) -> RunPage:
    """Return runs, newest first: of all components, of one, or of those with a tag.

    Raises:
        NotFound: the component or the tag is unknown.
        MalformedRequest: ``before`` is no cursor of an earlier page.
    """
    if component is not None:
        get_component(connection, component)
    if tag is not None:
        list_tagged(connection, tag)
    ids = stored.find_newest(
        connection,
        component_name=component,
        tag=tag,
        before=None if before is None else _read_cursor(before),
        limit=limit + 1,
    )
    summaries = summarise(connection, ids[:limit])
    items = [summaries[id_] for id_ in ids[:limit]]
    return RunPage(items, _make_cursor(items[-1]) if len(ids) > limit else None)


def get_run(connection: sa.Connection, ref: str) -> Run:
    """Return everything about one run.

    Args:
        connection: to the database.
        ref: the run's id, or its span id in hex, whole or as far as it is unique.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    run_id = _resolve(connection, ref)
    edges = read_edges(connection, [run_id])
    producers = sorted({edge.producer for edge in edges})
    summaries = summarise(connection, [run_id, *producers])
    row = stored.read_details(connection, run_id)
    attributes = dict(row.attributes)
    return Run(
        summary=summaries[run_id],
        description=row.description,
        parent_id=row.parent_id,
        inputs=_list_pointers(connection, run_id, "input", edges),
        outputs=_list_pointers(connection, run_id, "output", ()),
        test_outcomes=_list_tests(connection, run_id),
        dependencies=[summaries[id_] for id_ in producers],
        notes=row.notes,
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
        stacktrace=attributes.pop(_STACKTRACE, None),
        resource=row.resource,
        attributes=attributes,
    )


def summarise(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, RunSummary]:
    """Return the summary of each run by its id."""
    if not run_ids:
        return {}
    stale = _explain(connection, run_ids)
    rows = stored.read_summaries(connection, run_ids)
    return {row.id: _shape_summary(row, stale.get(row.id, [])) for row in rows}


def _explain(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, list[StaleReason]]:
    dependencies = read_dependencies(connection, run_ids)
    return {
        run_id: [reason for one in group for reason in explain_staleness(one)]
        for run_id, group in groupby(dependencies, key=lambda one: one.consumer_id)
    }


def _shape_summary(row: stored.Row, stale: list[StaleReason]) -> RunSummary:
    return RunSummary(
        id=row.id,
        trace_id=row.trace_id.hex(),
        span_id=row.span_id.hex(),
        component=row.component,
        owner=row.owner,
        tags=row.tags or [],
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_s=(row.ended_at - row.started_at).total_seconds(),
        execution=Execution(row.execution),
        tests=_judge(row.tests, row.failures),
        stale=stale,
        partition=row.partition,
        git_hash=row.git_hash,
        git_tags=row.git_tags,
        message=row.message,
        input_count=row.input_count,
        output_count=row.output_count,
        inputs=row.inputs,
        outputs=row.outputs,
    )


def _judge(tests: int, failures: int) -> TestVerdict:
    if not tests:
        return TestVerdict.NONE
    return TestVerdict.FAILED if failures else TestVerdict.PASSED


def _list_pointers(
    connection: sa.Connection, run_id: int, direction: str, edges: Collection[Edge]
) -> list[Pointer]:
    by_pointer = {edge.pointer: edge for edge in edges if edge.pointer is not None}
    pointers = []
    for row in stored.read_io(connection, run_id, direction, POINTER_LIMIT):
        edge = by_pointer.get(row.name)
        pointers.append(
            Pointer(
                **row._asdict(),
                producer_id=edge.producer if edge else None,
                content_changed_outside=bool(edge and edge.content_changed_outside),
            )
        )
    return pointers


def _list_tests(connection: sa.Connection, run_id: int) -> list[TestOutcome]:
    return [
        TestOutcome(row.suite, row.case, row.phase, row.status, row.message, row.duration_s)
        for row in stored.read_tests(connection, [run_id])
    ]


def _resolve(connection: sa.Connection, ref: str) -> int:
    if ref.isascii() and ref.isdigit() and len(ref) < _SPAN_ID_DIGITS:
        found = stored.find_by_id(connection, int(ref))
        if found is not None:
            return found
    matches: list[int] = []
    if re.fullmatch(rf"[0-9a-fA-F]{{4,{_SPAN_ID_DIGITS}}}", ref):
        first, last = (bytes.fromhex(ref.ljust(_SPAN_ID_DIGITS, digit)) for digit in "0f")
        matches = stored.find_by_span(connection, first, last)
    if len(matches) > 1:
        raise NotFound(f"More than one run's span id begins with {ref}: give more digits.")
    if not matches:
        raise NotFound(f"There is no run {ref}. `mltrace recent` lists the newest runs.")
    return matches[0]


def _make_cursor(run: RunSummary) -> str:
    return f"{run.started_at.isoformat()}~{run.id}"


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    started_at, _, run_id = cursor.partition("~")
    try:
        return datetime.fromisoformat(started_at), int(run_id)
    except ValueError:
        raise MalformedRequest(
            f"{cursor!r} is no cursor: take `next_cursor` of the page before."
        ) from None
