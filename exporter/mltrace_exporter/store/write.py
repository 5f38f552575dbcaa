"""Writing runs. The one place where runs enter the database."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Io, Run, SpanId, Words
from mltrace_exporter.store import schema
from mltrace_exporter.store.bulk import copy_rows, unnest
from mltrace_exporter.store.pointers import hash_name

RUNS_TOTAL = "mltrace_component_runs_total"
TESTS_TOTAL = "mltrace_tests_total"

RUN_OUTCOMES = {"ok": "succeeded", "error": "failed"}
TEST_OUTCOMES = {"pass": "passed", "fail": "failed"}


@dataclass(frozen=True, slots=True)
class Written:
    """Which runs were new, and how many the database had already."""

    new: frozenset[SpanId]
    duplicate: int

    @property
    def stored(self) -> int:
        """The number of new runs."""
        return len(self.new)


def write_runs(connection: sa.Connection, runs: Sequence[Run]) -> Written:
    """Store ``runs`` and count them, all in the connection's transaction.

    A run that is stored already changes nothing, not even a counter. Nothing is durable before the
    caller commits. Rows are written in one order by every exporter, so that two cannot deadlock.

    Raises:
        psycopg2.errors.UniqueViolation: another exporter stored one of the runs at the same time;
            roll back and call again.
    """
    new = _drop_known(connection, runs)
    if new:
        _describe_components(connection, new)
        _keep_code(connection, new)
        _name_pointers(connection, new)
        ids = _take_ids(connection, len(new))
        _copy_runs(connection, new, ids)
        _copy_io(connection, new, ids)
        _copy_tests(connection, new, ids)
        _count(connection, new)
    return Written(frozenset(run.id for run in new), duplicate=len(runs) - len(new))


def _drop_known(connection: sa.Connection, runs: Sequence[Run]) -> list[Run]:
    by_id = {run.id: run for run in reversed(runs)}
    asked = unnest(
        span_id=([id_.span_id for id_ in by_id], sa.LargeBinary),
        trace_id=([id_.trace_id for id_ in by_id], sa.LargeBinary),
    )
    table = schema.component_run
    query = sa.select(table.c.trace_id, table.c.span_id).join(
        asked, (asked.c.span_id == table.c.span_id) & (asked.c.trace_id == table.c.trace_id)
    )
    for row in connection.execute(query):
        by_id.pop(SpanId(bytes(row.trace_id), bytes(row.span_id)))
    return sorted(by_id.values(), key=lambda run: run.started_at)


def _describe_components(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Let the newest run's words win, by start time and not by arrival."""
    newest: dict[str, Run] = {}
    for run in runs:
        known = newest.get(run.component)
        if known is None or _speaks_later(run) > _speaks_later(known):
            newest[run.component] = run
    rows = [_describe(newest[name]) for name in sorted(newest)]
    insert = pg.insert(schema.component)
    old, said = schema.component.c, insert.excluded
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["name"],
            set_={key: said[key] for key in rows[0] if key != "name"},
            where=said.described_at.is_not(None)
            & (
                old.described_at.is_(None)
                | (
                    sa.tuple_(said.described_at, said.described_by)
                    > sa.tuple_(old.described_at, old.described_by)
                )
            ),
        ),
        rows,
    )


def _speaks_later(run: Run) -> tuple[bool, object, bytes]:
    return run.words is not None, run.started_at, run.id.span_id


def _describe(run: Run) -> dict[str, object]:
    words = run.words or Words(None, None, ())
    return {
        "name": run.component,
        "owner": words.owner,
        "description": words.description,
        "tags": list(words.tags),
        "described_at": run.started_at if run.words else None,
        "described_by": run.id.span_id if run.words else None,
    }


def _keep_code(connection: sa.Connection, runs: Iterable[Run]) -> None:
    sources = {_hash_code(run.code): run.code for run in runs if run.code is not None}
    rows = [{"hash": hash_, "source": sources[hash_]} for hash_ in sorted(sources)]
    if rows:
        connection.execute(pg.insert(schema.code).on_conflict_do_nothing(), rows)


def _hash_code(source: str) -> bytes:
    return hashlib.blake2b(source.encode(), digest_size=16).digest()


def _name_pointers(connection: sa.Connection, runs: Iterable[Run]) -> None:
    names = {hash_name(io.name): io.name for run in runs for io in run.io}
    pairs = sorted(names.items())
    if not pairs:
        return
    said = unnest(
        id=([id_ for id_, _ in pairs], sa.BigInteger), name=([name for _, name in pairs], sa.Text)
    )
    connection.execute(
        pg.insert(schema.io_pointer)
        .from_select(["id", "name"], sa.select(said.c.id, said.c.name))
        .on_conflict_do_nothing()
    )


def _take_ids(connection: sa.Connection, count: int) -> list[int]:
    sequence = sa.func.pg_get_serial_sequence("component_run", "id")
    query = sa.select(sa.func.nextval(sequence)).select_from(sa.func.generate_series(1, count))
    return list(connection.scalars(query))


_RUN_FIELDS = (
    *("component", "parent_span_id", "started_at", "ended_at", "execution", "message"),
    *("error_type", "notes", "partition", "staleness_threshold_s", "upstream"),
    *("infers_dependencies", "code_function", "code_file", "code_line", "git_hash", "git_ref"),
    *("git_repository", "git_tags", "git_dirty", "resource", "attributes"),
)


def _copy_runs(connection: sa.Connection, runs: Sequence[Run], ids: Sequence[int]) -> None:
    columns = ["id", "trace_id", "span_id", "code_hash", *_RUN_FIELDS]
    rows = (
        (
            id_,
            run.id.trace_id,
            run.id.span_id,
            None if run.code is None else _hash_code(run.code),
            *[getattr(run, name) for name in _RUN_FIELDS],
        )
        for id_, run in zip(ids, runs, strict=True)
    )
    copy_rows(connection, schema.component_run, columns, rows)


_IO_COLUMNS = (
    *("run_id", "position", "direction", "pointer_id", "moment", "type", "digest"),
    *("size_bytes", "labels", "producer_trace_id", "producer_span_id"),
)


def _copy_io(connection: sa.Connection, runs: Sequence[Run], ids: Sequence[int]) -> None:
    rows = (
        _io_row(id_, position, run, io)
        for id_, run in zip(ids, runs, strict=True)
        for position, io in enumerate(run.io)
    )
    copy_rows(connection, schema.run_io, _IO_COLUMNS, rows)


def _io_row(run_id: int, position: int, run: Run, io: Io) -> tuple[object, ...]:
    producer = io.producer
    return (
        run_id,
        position,
        io.direction,
        hash_name(io.name),
        run.ended_at if io.direction == "output" else run.started_at,
        io.type,
        io.digest,
        io.size_bytes,
        io.labels,
        producer.trace_id if producer else None,
        producer.span_id if producer else None,
    )


_TEST_FIELDS = ("suite", "case", "phase", "status", "message", "duration_s")


def _copy_tests(connection: sa.Connection, runs: Sequence[Run], ids: Sequence[int]) -> None:
    rows = (
        (id_, position, *[getattr(test, name) for name in _TEST_FIELDS])
        for id_, run in zip(ids, runs, strict=True)
        for position, test in enumerate(run.tests)
    )
    copy_rows(connection, schema.test_result, ["run_id", "position", *_TEST_FIELDS], rows)


def _count(connection: sa.Connection, runs: Iterable[Run]) -> None:
    totals: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for run in runs:
        totals[RUNS_TOTAL, (run.component, RUN_OUTCOMES[run.execution])] += 1
        for test in run.tests:
            outcome = TEST_OUTCOMES[test.status]
            totals[TESTS_TOTAL, (run.component, test.suite, test.case, test.phase, outcome)] += 1
    insert = pg.insert(schema.metric_total)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["metric", "labels"],
            set_={"total": schema.metric_total.c.total + insert.excluded.total},
        ),
        [
            {"metric": metric, "labels": list(labels), "total": total}
            for (metric, labels), total in sorted(totals.items())
        ],
    )
