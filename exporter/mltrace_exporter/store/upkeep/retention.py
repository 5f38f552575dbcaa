"""Deleting old runs, and what nobody refers to any more. Counters are not touched: they never fall.

Pointers that came apart from their run go, too, if it did not come for long: they are of no run.

Kept, however old: the runs behind flagged outputs with everything upstream of them, and the newest
run of each component with what is up to ``KEPT_DEPTH`` steps upstream of it. (All of it would be
all of history where each run reads what the run before it wrote.)
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mltrace_exporter.store.arrivals.parts import delete_waiting_parts
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.ancestors import read_ancestors, read_edges
from mltrace_exporter.store.lineage.edges import is_direction, is_final
from mltrace_exporter.store.schema import code, component, component_run, flag, io_pointer, run_io

KEPT_DEPTH = 10
BATCH_RUNS = 1000

_EVERYTHING = 2**62


@dataclass(frozen=True, slots=True)
class Limits:
    """Which runs may go.

    Attributes:
        began_before: those that began earlier; None for no limit of age.
        runs_per_component: all but so many of each component, newest first; None for no such limit.
        parts_before: pointers that arrived earlier than this and still wait for their run, too.
    """

    began_before: datetime | None = None
    runs_per_component: int | None = None
    parts_before: datetime | None = None

    @property
    def concern_runs(self) -> bool:
        """True if any run may go."""
        return self.began_before is not None or self.runs_per_component is not None


def find_kept(connection: sa.Connection) -> set[int]:
    """Return ids of runs that no limit removes."""
    open_flags = sa.select(flag.c.run_id).where(
        flag.c.resolved_at.is_(None), flag.c.run_id.is_not(None)
    )
    flagged = set(connection.scalars(open_flags))
    kept = set(read_ancestors(connection, flagged, _EVERYTHING)) if flagged else set()
    level = {
        run_id
        for condition in (sa.true(), is_final(component_run))
        for run_id in connection.scalars(_select_newest(condition))
    }
    depth = 0
    while level:
        kept |= level
        edges = read_edges(connection, level) if depth < KEPT_DEPTH else []
        level = {edge.producer for edge in edges} - kept
        depth += 1
    return kept


def list_doomed(
    connection: sa.Connection, limits: Limits, kept: Collection[int]
) -> Iterator[list[int]]:
    """Yield ids of the runs that the limits remove, oldest first, some at a time.

    The caller may delete them and commit in between.
    """
    if limits.began_before is not None:
        yield from _list_older(connection, component_run.c.started_at < limits.began_before, kept)
    if limits.runs_per_component is not None:
        for name, started_at, run_id in _find_excess(connection, limits.runs_per_component):
            run = component_run
            older = sa.tuple_(run.c.started_at, run.c.id) < sa.tuple_(started_at, run_id)
            yield from _list_older(connection, sa.and_(run.c.component == name, older), kept)


def delete_runs(connection: sa.Connection, run_ids: Collection[int]) -> None:
    """Delete runs with all that is theirs, and the names that no run has now."""
    asked = ask(id=sa.BigInteger)
    of_asked, parameters = sa.select(asked.c.id), {"id": list(run_ids)}
    pointers = sa.select(run_io.c.pointer_id).distinct().where(run_io.c.run_id.in_(of_asked))
    pointer_ids = list(connection.scalars(pointers, parameters))
    connection.execute(sa.delete(component_run).where(component_run.c.id.in_(of_asked)), parameters)
    _keep_writers_out(connection)
    unused = sa.delete(io_pointer).where(
        io_pointer.c.id.in_(of_asked), sa.not_(_is_used(io_pointer.c.id))
    )
    connection.execute(unused, {"id": pointer_ids})


def delete_unused_code(connection: sa.Connection) -> None:
    """Delete the code that no run has now."""
    _keep_writers_out(connection)
    in_use = sa.exists().where(component_run.c.code_hash == code.c.hash)
    connection.execute(sa.delete(code).where(sa.not_(in_use)))


def prune(engine: sa.Engine, limits: Limits, report: Callable[[int], None] = lambda _: None) -> int:
    """Delete what the limits remove, in transactions of ``BATCH_RUNS`` runs; return how many runs.

    Args:
        engine: to the database.
        limits: which runs may go.
        report: told after each transaction how many runs are gone.
    """
    if limits.parts_before is not None:
        with engine.begin() as connection:
            delete_waiting_parts(connection, limits.parts_before)
    return _prune_runs(engine, limits, report) if limits.concern_runs else 0


def _prune_runs(engine: sa.Engine, limits: Limits, report: Callable[[int], None]) -> int:
    count = 0
    with engine.connect() as reading, engine.connect() as writing:
        reading.execution_options(isolation_level="AUTOCOMMIT")
        for batch in list_doomed(reading, limits, find_kept(reading)):
            with writing.begin():
                delete_runs(writing, batch)
            count += len(batch)
            report(count)
        if count:
            with writing.begin():
                delete_unused_code(writing)
    return count


def count_doomed(connection: sa.Connection, limits: Limits) -> tuple[int, int]:
    """Return how many runs the limits would remove, and how many are kept whatever they say."""
    kept = find_kept(connection)
    doomed: set[int] = set()
    for batch in list_doomed(connection, limits, kept):
        doomed.update(batch)
    return len(doomed), len(kept)


def _keep_writers_out(connection: sa.Connection) -> None:
    """Let no writer be between naming a pointer or keeping code, and the rows that refer to it."""
    connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(sa.text("LOCK TABLE code, io_pointer IN SHARE ROW EXCLUSIVE MODE"))


def _is_used(pointer_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    # Spelled by direction, as the indexes are.
    uses = (
        sa.exists().where(run_io.c.pointer_id == pointer_id, is_direction(run_io, direction))
        for direction in ("output", "input")
    )
    return sa.or_(*uses, sa.exists().where(flag.c.pointer_id == pointer_id))


def _select_newest(condition: sa.ColumnElement[bool]) -> sa.Select[int]:
    run = component_run
    newest = (
        sa.select(run.c.id)
        .where(run.c.component == component.c.name, condition)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(1)
        .lateral("newest")
    )
    return sa.select(newest.c.id).select_from(component.join(newest, sa.true()))


def _find_excess(connection: sa.Connection, count: int) -> list[tuple[str, datetime, int]]:
    """Return for each component that has more runs the last of those that stay."""
    run = component_run
    last = (
        sa.select(run.c.started_at, run.c.id)
        .where(run.c.component == component.c.name)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .offset(count - 1)
        .limit(1)
        .lateral("last")
    )
    query = sa.select(component.c.name, last.c.started_at, last.c.id).select_from(
        component.join(last, sa.true())
    )
    return [(name, started_at, run_id) for name, started_at, run_id in connection.execute(query)]


def _list_older(
    connection: sa.Connection, condition: sa.ColumnElement[bool], kept: Collection[int]
) -> Iterator[list[int]]:
    run = component_run
    query = sa.select(run.c.started_at, run.c.id).where(condition)
    query = query.order_by(run.c.started_at, run.c.id).limit(BATCH_RUNS)
    rows = connection.execute(query).all()
    while rows:
        doomed = [run_id for _, run_id in rows if run_id not in kept]
        if doomed:
            yield doomed
        last = sa.tuple_(*rows[-1])
        rows = connection.execute(query.where(sa.tuple_(run.c.started_at, run.c.id) > last)).all()
