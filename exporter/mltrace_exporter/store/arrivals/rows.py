"""Runs as rows: what is to be written of runs goes into their tables.

Lines of COPY are made directly and from few pieces, because there are so many: what the runs of a
component say alike is encoded once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.model import Io, MetricValue, Run, TestResult, VariableProfile
from mltrace_exporter.store import schema
from mltrace_exporter.store.arrivals.admission import Entry
from mltrace_exporter.store.arrivals.words import hash_code
from mltrace_exporter.store.bulk import copy_lines, copy_rows, encode_cells, encode_text

_OWN_COLUMNS = (
    *("id", "trace_id", "span_id", "parent_span_id", "started_at", "ended_at", "alive_at"),
    *("marked_by", "execution", "message", "error_type", "notes", "partition", "attributes"),
)
_SHARED_COLUMNS = (
    *("component", "staleness_threshold_s", "upstream", "infers_dependencies", "code_hash"),
    *("code_function", "code_file", "code_line", "git_hash", "git_ref", "git_repository"),
    *("git_tags", "git_dirty"),
)
_RUN_COLUMNS = (*_OWN_COLUMNS, *_SHARED_COLUMNS, "resource")
_IO_COLUMNS = (
    *("run_id", "position", "direction", "pointer_id", "moment", "type", "digest"),
    *("size_bytes", "labels", "producer_trace_id", "producer_span_id"),
)
_TEST_COLUMNS = ("run_id", "position", "suite", "case", "phase", "status", "message", "duration_s")
_PROFILE_COLUMNS = ("run_id", *VariableProfile._fields)
_METRIC_COLUMNS = ("run_id", *MetricValue._fields)


_NULL = r"\N"


class IoShare(NamedTuple):
    """Inputs and outputs of a run, from a position on."""

    run_id: int
    position: int
    started_at: datetime
    ended_at: datetime
    io: Sequence[Io]


def write_rows(
    connection: sa.Connection, entries: Sequence[Entry], pointer_ids: Mapping[str, int]
) -> None:
    """Write each run with its inputs, outputs, tests, profiles and metrics.

    Args:
        connection: to the database.
        entries: what to write.
        pointer_ids: of all names of pointers in it.
    """
    _replace_runs(connection, [entry for entry in entries if entry.replaces])
    new = [entry for entry in entries if not entry.replaces]
    copy_lines(connection, schema.component_run, _RUN_COLUMNS, _run_lines(new))
    copy_io(connection, [_share(entry.run_id, entry.run) for entry in entries], pointer_ids)
    tests = (line for entry in entries for line in _test_lines(entry.run_id, entry.run.tests))
    copy_lines(connection, schema.test_result, _TEST_COLUMNS, tests)
    runs = [(entry.run_id, entry.run) for entry in entries]
    profiles = ((run_id, *each) for run_id, run in runs for each in run.profiles)
    copy_rows(connection, schema.profile, _PROFILE_COLUMNS, profiles)
    metrics = ((run_id, *each) for run_id, run in runs for each in run.metrics)
    copy_rows(connection, schema.metric_value, _METRIC_COLUMNS, metrics)


def copy_io(
    connection: sa.Connection, shares: Iterable[IoShare], pointer_ids: Mapping[str, int]
) -> None:
    """Add inputs and outputs to runs."""
    lines = (line for share in shares for line in _io_lines(share, pointer_ids))
    copy_lines(connection, schema.run_io, _IO_COLUMNS, lines)


def _share(run_id: int, run: Run) -> IoShare:
    return IoShare(run_id, 0, run.started_at, run.ended_at, run.io)


def _replace_runs(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Write over what markers said; the rows keep their ids, and what people said of them."""
    if not entries:
        return
    table = schema.component_run
    columns = [name for name in _RUN_COLUMNS if name not in {"id", "trace_id", "span_id"}]
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("new_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
    )
    connection.execute(statement, [_name_cells(entry) for entry in entries])
    ids = [entry.run_id for entry in entries]
    connection.execute(sa.delete(schema.run_io).where(schema.run_io.c.run_id.in_(ids)))


def _name_cells(entry: Entry) -> dict[str, object]:
    cells = (*_own_cells(entry), *_shared_cells(entry.run), entry.run.resource)
    return {
        # Arrays of SQLAlchemy's are lists.
        f"new_{name}": list(cell) if isinstance(cell, tuple) else cell
        for name, cell in zip(_RUN_COLUMNS, cells, strict=True)
    }


def _run_lines(entries: Iterable[Entry]) -> Iterator[str]:
    resources: dict[int, str] = {}
    for entry in entries:
        run = entry.run
        # Spans of one sender share the object.
        resource = resources.get(id(run.resource))
        if resource is None:
            resource = resources[id(run.resource)] = encode_cells([run.resource])
        shared = _encode_shared(_shared_cells(run))
        yield f"{encode_cells(_own_cells(entry))}\t{shared}\t{resource}"


def _own_cells(entry: Entry) -> tuple[object, ...]:
    run, marker = entry.run, entry.marker
    return (
        entry.run_id,
        run.id.trace_id,
        run.id.span_id,
        run.parent_span_id,
        run.started_at,
        None if run.execution == "running" else run.ended_at,
        run.ended_at if marker else None,
        marker.span_id if marker else None,
        run.execution,
        run.message,
        run.error_type,
        run.notes,
        run.partition,
        run.attributes,
    )


def _shared_cells(run: Run) -> tuple[object, ...]:
    return (
        run.component,
        run.staleness_threshold_s,
        run.upstream,
        run.infers_dependencies,
        None if run.code is None else hash_code(run.code),
        run.code_function,
        run.code_file,
        run.code_line,
        run.git_hash,
        run.git_ref,
        run.git_repository,
        run.git_tags,
        run.git_dirty,
    )


@lru_cache(maxsize=1024)
def _encode_shared(cells: tuple[object, ...]) -> str:
    return encode_cells(cells)


def _io_lines(share: IoShare, pointer_ids: Mapping[str, int]) -> Iterator[str]:
    run_id = share.run_id
    started_at, ended_at = share.started_at.isoformat(), share.ended_at.isoformat()
    for position, io in enumerate(share.io, share.position):
        direction, name, type_, digest, size_bytes, labels, producer = io
        moment = ended_at if direction == "output" else started_at
        if labels or producer:
            rest = encode_cells((size_bytes, labels, *(producer or (None, None))))
        else:
            rest = f"{_NULL if size_bytes is None else size_bytes}\t{{}}\t{_NULL}\t{_NULL}"
        yield (
            f"{run_id}\t{position}\t{direction}\t{pointer_ids[name]}\t{moment}\t{type_}"
            f"\t{encode_text(digest)}\t{rest}"
        )


def _test_lines(run_id: int, tests: Sequence[TestResult]) -> Iterator[str]:
    for position, (suite, case, phase, status, message, duration_s) in enumerate(tests):
        yield (
            f"{run_id}\t{position}\t{encode_text(suite)}\t{encode_text(case)}\t{phase}\t{status}"
            f"\t{encode_text(message)}\t{_NULL if duration_s is None else duration_s}"
        )
