"""Runs as they are stored, found by what people know of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.edges import is_direction, is_final
from mltrace_exporter.store.liveness import shown_end, shown_execution
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import (
    code,
    component,
    component_run,
    flag,
    io_pointer,
    is_failed_test,
    is_skipped_test,
    run_io,
    test_result,
)

Row = sa.Row[*tuple[Any, ...]]

_LISTED_NAMES = 10


def find_by_id(connection: sa.Connection, run_id: int) -> int | None:
    """Return the id if a run has it."""
    query = sa.select(component_run.c.id).where(component_run.c.id == run_id)
    return connection.scalar(query)


def read_start(connection: sa.Connection, run_id: int) -> datetime:
    """Return when a run began."""
    query = sa.select(component_run.c.started_at).where(component_run.c.id == run_id)
    started_at: datetime = connection.scalars(query).one()
    return started_at


def read_neighbours(connection: sa.Connection, run_id: int) -> tuple[int | None, int | None]:
    """Return the ids of the component's runs that began just before and just after.

    The one before has ended, so that the run can be compared to it.
    """
    run, other = component_run, component_run.alias("other")
    here, there = sa.tuple_(run.c.started_at, run.c.id), sa.tuple_(other.c.started_at, other.c.id)
    order = other.c.started_at, other.c.id
    kin = sa.select(other.c.id).where(other.c.component == run.c.component).limit(1).correlate(run)
    before = kin.where(there < here, is_final(other)).order_by(*(column.desc() for column in order))
    after = kin.where(there > here).order_by(*order)
    query = sa.select(before.scalar_subquery(), after.scalar_subquery()).where(run.c.id == run_id)
    found = connection.execute(query).one()
    return found[0], found[1]


def find_by_span(connection: sa.Connection, first: bytes, last: bytes) -> list[int]:
    """Return the ids of the first two runs whose span ids lie between ``first`` and ``last``."""
    span_id = component_run.c.span_id
    query = sa.select(component_run.c.id).where(span_id.between(first, last)).limit(2)
    return list(connection.scalars(query))


class Summary(NamedTuple):
    """What lists show of a run, staleness aside; ``inputs``, ``outputs``: ids of the first."""

    id: int
    trace_id: str
    span_id: str
    component: str
    started_at: datetime
    execution: str
    alive_at: datetime | None
    partition: str | None
    git_hash: str | None
    git_tags: list[str]
    message: str | None
    shown_execution: str
    shown_end: datetime | None
    owner: str | None
    tags: list[str] | None
    input_count: int
    output_count: int
    tests: int
    failures: int
    inputs: list[int]
    outputs: list[int]


def read_summaries(connection: sa.Connection, run_ids: Collection[int]) -> list[Summary]:
    """Return the summary of each run."""
    rows = connection.execute(_select_summaries(), {"id": list(run_ids)}).all()
    return list(map(Summary._make, rows))


class Outline(NamedTuple):
    """What a drawing shows of a run, staleness aside."""

    id: int
    component: str
    started_at: datetime
    execution: str
    alive_at: datetime | None
    partition: str | None
    message: str | None
    shown_execution: str
    shown_end: datetime | None
    owner: str | None
    tests: int
    failures: int


def read_outlines(connection: sa.Connection, run_ids: Collection[int]) -> list[Outline]:
    """Return the outline of each run: what costs little to know of thousands."""
    rows = connection.execute(_select_outlines(), {"id": list(run_ids)}).all()
    return list(map(Outline._make, rows))


def read_names(connection: sa.Connection, pointer_ids: Collection[int]) -> dict[int, str]:
    """Return the names of pointers by their ids."""
    return dict(connection.execute(_select_names(), {"id": list(pointer_ids)}).all())


@prepared
def _select_names() -> sa.Select[int, str]:
    asked = ask(id=sa.BigInteger)
    query = sa.select(io_pointer.c.id, io_pointer.c.name)
    return query.join(asked, asked.c.id == io_pointer.c.id)


@prepared
def _select_summaries() -> sa.Select[*tuple[Any, ...]]:
    asked, run = ask(id=sa.BigInteger), component_run
    io, verdict = _sum_up_io(run), _judge(run)
    columns = {
        **_list_columns(run, verdict),
        "trace_id": sa.func.encode(run.c.trace_id, "hex"),
        "span_id": sa.func.encode(run.c.span_id, "hex"),
        "tags": component.c.tags,
        **dict(io.c),
    }
    # Arrays as the driver reads them: SQLAlchemy would go over their members once more.
    plain = [
        sa.type_coerce(columns[name], sa.types.NullType())
        if isinstance(columns[name].type, sa.ARRAY)
        else columns[name]
        for name in Summary._fields
    ]
    return sa.select(*plain).select_from(
        asked.join(run, run.c.id == asked.c.id)
        .outerjoin(component, component.c.name == run.c.component)
        .join(io, sa.true())
        .join(verdict, sa.true())
    )


@prepared
def _select_outlines() -> sa.Select[*tuple[Any, ...]]:
    asked, run = ask(id=sa.BigInteger), component_run
    verdict = _judge(run)
    columns = _list_columns(run, verdict)
    return sa.select(*(columns[name] for name in Outline._fields)).select_from(
        asked.join(run, run.c.id == asked.c.id)
        .outerjoin(component, component.c.name == run.c.component)
        .join(verdict, sa.true())
    )


def _list_columns(run: sa.Table, verdict: sa.FromClause) -> dict[str, sa.ColumnElement[Any]]:
    return {
        **dict(run.c),
        "shown_execution": shown_execution(run),
        "shown_end": shown_end(run),
        "owner": component.c.owner,
        **dict(verdict.c),
    }


def read_details(connection: sa.Connection, run_id: int) -> Row:
    """Return the run's own row, with its code, its component's description and its parent's id."""
    run, parent = component_run, component_run.alias("parent")
    query = (
        sa.select(run, code.c.source, component.c.description, parent.c.id.label("parent_id"))
        .select_from(
            run.outerjoin(code, code.c.hash == run.c.code_hash)
            .outerjoin(component, component.c.name == run.c.component)
            .outerjoin(
                parent,
                (parent.c.trace_id == run.c.trace_id) & (parent.c.span_id == run.c.parent_span_id),
            )
        )
        .where(run.c.id == run_id)
    )
    return connection.execute(query).one()


def read_rows(connection: sa.Connection, run_ids: Collection[int]) -> Sequence[Row]:
    """Return the runs' own rows."""
    query = sa.select(component_run).where(component_run.c.id.in_(run_ids))
    return connection.execute(query).all()


def read_io(
    connection: sa.Connection, run_ids: Collection[int], direction: str, limit: int
) -> Sequence[Row]:
    """Return the first inputs or outputs of each run: run_id, name, type, digest and so on."""
    asked = ask(id=sa.BigInteger)
    first = (
        sa.select(run_io)
        .where(run_io.c.run_id == asked.c.id, is_direction(run_io, direction))
        .order_by(run_io.c.position)
        .limit(limit)
        .correlate(asked)
        .lateral("first")
    )
    flagged = sa.exists().where(
        flag.c.pointer_id == first.c.pointer_id, flag.c.resolved_at.is_(None)
    )
    query = (
        sa.select(
            *(first.c.run_id, io_pointer.c.name, first.c.type, first.c.digest),
            *(first.c.size_bytes, first.c.labels, flagged.label("flagged")),
        )
        .select_from(asked.join(first, sa.true()))
        .join(io_pointer, io_pointer.c.id == first.c.pointer_id)
        .order_by(first.c.run_id, first.c.position)
    )
    return connection.execute(query, {"id": list(run_ids)}).all()


def read_tests(connection: sa.Connection, run_ids: Collection[int]) -> Sequence[Row]:
    """Return what the runs' tests found, in the order in which they ran."""
    query = (
        sa.select(test_result)
        .where(test_result.c.run_id.in_(run_ids))
        .order_by(test_result.c.run_id, test_result.c.position)
    )
    return connection.execute(query).all()


def _sum_up_io(run: sa.Table) -> sa.FromClause:
    """Counts and first pointers of inputs and of outputs, from one look at the run's rows."""
    columns = []
    for direction in ("input", "output"):
        of_direction = is_direction(run_io, direction)
        ordered = pg.aggregate_order_by(run_io.c.pointer_id, run_io.c.position)
        ids = sa.func.array_agg(ordered, type_=pg.ARRAY(sa.BigInteger)).filter(of_direction)
        first = sa.func.trim_array(
            ids, sa.func.greatest(sa.func.cardinality(ids) - _LISTED_NAMES, 0)
        )
        columns += [
            sa.func.count().filter(of_direction).label(f"{direction}_count"),
            sa.func.coalesce(first, sa.literal_column("'{}'::bigint[]")).label(f"{direction}s"),
        ]
    return sa.select(*columns).where(run_io.c.run_id == run.c.id).lateral("io")


def _judge(run: sa.Table) -> sa.FromClause:
    tests = sa.func.count().filter(~is_skipped_test)
    failed = sa.func.count().filter(is_failed_test)
    return (
        sa.select(tests.label("tests"), failed.label("failures"))
        .where(test_result.c.run_id == run.c.id)
        .lateral("verdict")
    )
