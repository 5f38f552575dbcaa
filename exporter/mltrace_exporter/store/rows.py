"""Runs as rows: what is to be written of runs goes into their tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.model import Io, Run
from mltrace_exporter.store import schema
from mltrace_exporter.store.admission import Entry
from mltrace_exporter.store.bulk import copy_rows
from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.words import hash_code

_RUN_FIELDS = (
    *("component", "parent_span_id", "started_at", "execution", "message", "error_type", "notes"),
    *("partition", "staleness_threshold_s", "upstream", "infers_dependencies", "code_function"),
    *("code_file", "code_line", "git_hash", "git_ref", "git_repository", "git_tags", "git_dirty"),
    *("resource", "attributes"),
)
_RUN_COLUMNS = (
    *("id", "trace_id", "span_id", "ended_at", "alive_at", "marked_by", "code_hash"),
    *_RUN_FIELDS,
)
_IO_COLUMNS = (
    *("run_id", "position", "direction", "pointer_id", "moment", "type", "digest"),
    *("size_bytes", "labels", "producer_trace_id", "producer_span_id"),
)
_TEST_FIELDS = ("suite", "case", "phase", "status", "message", "duration_s")


class IoShare(NamedTuple):
    """Inputs and outputs of a run, from a position on."""

    run_id: int
    position: int
    started_at: datetime
    ended_at: datetime
    io: Sequence[Io]


def write_rows(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Write each run with its inputs, outputs and tests."""
    _replace_runs(connection, [entry for entry in entries if entry.replaces])
    rows = [_run_row(entry) for entry in entries if not entry.replaces]
    copy_rows(connection, schema.component_run, _RUN_COLUMNS, rows)
    copy_io(connection, [_share(entry.run_id, entry.run) for entry in entries])
    _copy_tests(connection, entries)


def copy_io(connection: sa.Connection, shares: Iterable[IoShare]) -> None:
    """Add inputs and outputs to runs."""
    rows = (
        _io_row(share, position, io)
        for share in shares
        for position, io in enumerate(share.io, share.position)
    )
    copy_rows(connection, schema.run_io, _IO_COLUMNS, rows)


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
        .where(table.c.id == sa.bindparam("row_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
    )
    connection.execute(
        statement,
        [
            {f"new_{name}": _plain(value) for name, value in zip(_RUN_COLUMNS, row, strict=True)}
            | {"row_id": row[0]}
            for row in map(_run_row, entries)
        ],
    )
    ids = [entry.run_id for entry in entries]
    connection.execute(sa.delete(schema.run_io).where(schema.run_io.c.run_id.in_(ids)))


def _plain(value: object) -> object:
    """Return the value as SQLAlchemy takes it: its arrays are lists."""
    return list(value) if isinstance(value, tuple) else value


def _run_row(entry: Entry) -> tuple[object, ...]:
    run, marker = entry.run, entry.marker
    return (
        entry.run_id,
        run.id.trace_id,
        run.id.span_id,
        None if run.execution == "running" else run.ended_at,
        run.ended_at if marker else None,
        marker.span_id if marker else None,
        None if run.code is None else hash_code(run.code),
        *[getattr(run, name) for name in _RUN_FIELDS],
    )


def _io_row(share: IoShare, position: int, io: Io) -> tuple[object, ...]:
    producer = io.producer
    return (
        share.run_id,
        position,
        io.direction,
        hash_name(io.name),
        share.ended_at if io.direction == "output" else share.started_at,
        io.type,
        io.digest,
        io.size_bytes,
        io.labels,
        producer.trace_id if producer else None,
        producer.span_id if producer else None,
    )


def _copy_tests(connection: sa.Connection, entries: Iterable[Entry]) -> None:
    rows = (
        (entry.run_id, position, *[getattr(test, name) for name in _TEST_FIELDS])
        for entry in entries
        for position, test in enumerate(entry.run.tests)
    )
    copy_rows(connection, schema.test_result, ["run_id", "position", *_TEST_FIELDS], rows)
