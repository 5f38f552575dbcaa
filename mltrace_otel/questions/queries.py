"""The documented questions, asked of the server: what ran, what led to an output, what is flagged.

Plain values in, objects out that show themselves readably. Questions see what has arrived: call
`flush` first to ask about runs of this very program. Each may raise ServerUnreachable, ServerFailed
or RequestRefused besides what it names.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from mltrace_otel.contract.api import LARGEST_TRACE, Component, ReviewSort, Run, RunSummary
from mltrace_otel.questions.api_client import Selected, connect
from mltrace_otel.questions.recorded import (
    PointerRecord,
    RecordedRun,
    TraceTree,
    grow_tree,
    list_records,
    make_pointer_record,
)
from mltrace_otel.questions.tables import Columns, Table

When = datetime | date | str | None
_PAGE = 500


def backtrace(output_pointer: str) -> Table[tuple[int, RecordedRun]]:
    """Return the runs that led to an output, as pairs of distance and run, nearest first.

    Of a lineage of more than 10,000 runs the nearest.

    Args:
        output_pointer: name of the output; its last writer has the distance 0.

    Raises:
        NotFound: no recorded run wrote it.
    """
    with connect() as api:
        trace = api.trace_output(output_pointer, limit=LARGEST_TRACE)
    return Table(((node.depth, record(node.run)) for node in trace.nodes), _TRACE_COLUMNS)


def web_trace(output_id: str) -> TraceTree:
    """Return the runs that led to an output as a tree, whose root is the output's last writer.

    Args:
        output_id: name of the output.

    Raises:
        NotFound: no recorded run wrote it.
    """
    with connect() as api:
        return grow_tree(api.trace_output(output_id, limit=LARGEST_TRACE), record)


def get_history(
    component_name: str, limit: int | None = 10, date_lower: When = None, date_upper: When = None
) -> Table[RecordedRun]:
    """Return runs of a component, newest first.

    Args:
        component_name: name of the component.
        limit: how many, at most; None for all.
        date_lower: only runs that began then or later; a day begins at midnight, UTC.
        date_upper: only runs that began before.

    Raises:
        NotFound: there is no such component.
    """
    selected: Selected = {
        "component": component_name,
        "since": read_moment(date_lower),
        "until": read_moment(date_upper),
    }
    return list_records(iterate_runs(selected, limit))


def get_recent_run_ids(limit: int = 5, last_run_id: int | str | None = None) -> list[int]:
    """Return the numbers of the newest runs of all components, newest first.

    Args:
        limit: how many, at most.
        last_run_id: only runs that began before this one.

    Raises:
        NotFound: there is no run ``last_run_id``.
    """
    before = None if last_run_id is None else str(last_run_id)
    return [run.id for run in iterate_runs({}, limit, before)]


def get_component_run_information(component_run_id: int | str) -> RecordedRun:
    """Return a run by its number, or by what its span id begins with.

    Raises:
        NotFound: there is no such run.
    """
    with connect() as api:
        run = api.get_run(str(component_run_id))
    return RecordedRun(run.summary, lambda: run)


def get_component_information(component_name: str) -> Component:
    """Return a component.

    Raises:
        NotFound: there is none of this name.
    """
    with connect() as api:
        return api.get_component(component_name)


def get_components(tag: str = "", owner: str = "") -> Table[Component]:
    """Return components by name: all, or those with a tag, of an owner, or both."""
    with connect() as api:
        found = api.list_components(tag=tag or None, owner=owner or None)
    return Table(found, _COMPONENT_COLUMNS)


def get_components_with_owner(owner: str) -> Table[Component]:
    """Return the components of an owner by name."""
    return get_components(owner=owner)


def get_components_with_tag(tag: str) -> Table[Component]:
    """Return the components with a tag by name."""
    return get_components(tag=tag)


def get_tags() -> list[str]:
    """Return the tags that components carry, by name."""
    with connect() as api:
        return [tag.name for tag in api.list_tags()]


def get_io_pointer(io_pointer_id: str) -> PointerRecord:
    """Return who wrote and who read a pointer, and its flags.

    Args:
        io_pointer_id: name of the pointer.

    Raises:
        NotFound: no recorded run wrote or read it.
    """
    with connect() as api:
        return make_pointer_record(api.get_pointer(io_pointer_id, limit=_PAGE))


def review_flagged_outputs(
    limit: int = 20, sort: ReviewSort | str = ReviewSort.COVERAGE
) -> Table[tuple[RecordedRun, int]]:
    """Return the runs that flagged outputs have in common, most likely culprit first.

    Args:
        limit: how many runs, at most.
        sort: ``coverage``, or ``suspicion`` for those behind few good outputs first.

    Returns:
        Pairs of a run and how many flagged outputs it was involved in producing.
    """
    with connect() as api:
        review = api.review_flags(sort=ReviewSort(sort), limit=limit)
    found = {candidate.run.id: candidate for candidate in review.candidates}
    columns: Columns = (
        ("run", lambda row: row[0].id),
        ("component", lambda row: row[0].component_name),
        ("flagged outputs", lambda row: row[1]),
        ("coverage", lambda row: found[row[0].id].coverage),
        ("suspicion", lambda row: found[row[0].id].suspicion),
        ("evidence", lambda row: found[row[0].id].evidence),
    )
    rows = ((record(each.run), each.flagged_with) for each in review.candidates)
    return Table(rows, columns)


def iterate_runs(
    selected: Selected, limit: int | None = None, before: str | None = None
) -> Iterator[RecordedRun]:
    """Yield selected runs, asking for page after page as they are used up.

    Args:
        selected: which runs, in which order.
        limit: how many, at most; None for all.
        before: number of a run; only those behind it.
    """
    while limit is None or limit > 0:
        size = _PAGE if limit is None else min(limit, _PAGE)
        with connect() as api:
            page = api.list_runs(limit=size, before=before, **selected)
        yield from map(record, page.items)
        if page.next_cursor is None:
            return
        before = page.next_cursor
        limit = None if limit is None else limit - size
        selected = {**selected, "skip": 0}


def record(summary: RunSummary) -> RecordedRun:
    """Return a run of a list, which asks for the rest when it is used."""

    def ask() -> Run:
        with connect() as api:
            return api.get_run(str(summary.id))

    return RecordedRun(summary, ask)


def read_moment(when: When) -> datetime | None:
    """Return a time with its zone; one without is in UTC, and a day is its midnight.

    Raises:
        ValueError: a text is no ISO 8601 date or time.
    """
    if when is None or when == "":
        return None
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if not isinstance(when, datetime):
        when = datetime.combine(when, time())
    return when if when.tzinfo else when.replace(tzinfo=UTC)


_TRACE_COLUMNS: Columns = (
    ("depth", lambda row: row[0]),
    ("run", lambda row: row[1].id),
    ("component", lambda row: row[1].component_name),
    ("started", lambda row: row[1].start_timestamp),
    ("ended", lambda row: str(row[1].execution)),
    ("tests", lambda row: str(row[1].tests)),
    ("stale", lambda row: bool(row[1].stale)),
    ("outputs", lambda row: row[1].summary.outputs),
)
_COMPONENT_COLUMNS: Columns = (
    ("name", lambda component: component.name),
    ("owner", lambda component: component.owner),
    ("tags", lambda component: component.tags),
    ("runs", lambda component: component.run_count),
    ("last run", lambda component: component.last_run_at),
    ("description", lambda component: component.description),
)
