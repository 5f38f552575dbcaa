"""Flags: marks on outputs that somebody found wrong, kept after they are resolved."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.bulk import ask, unnest
from mltrace_exporter.store.lineage.edges import is_direction, select_last_writer
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, flag, io_pointer, run_io
from mltrace_otel.contract.api import Flag, FlagState, Severity

_OPEN = flag.c.resolved_at.is_(None)


class Wanted(NamedTuple):
    """Which flags somebody looks for.

    Attributes:
        component: of outputs that its runs wrote.
        name: of outputs whose names contain it, in small letters or large.
        since: set then or later.
    """

    component: str | None = None
    name: str | None = None
    since: datetime | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield what holds for such flags."""
        run = component_run
        if self.component is not None:
            yield sa.exists().where(run.c.id == flag.c.run_id, run.c.component == self.component)
        if self.name is not None:
            yield io_pointer.c.name.icontains(self.name, autoescape=True)
        if self.since is not None:
            yield flag.c.flagged_at >= self.since


ANY = Wanted()


def read_flags_in(  # noqa: PLR0913 - each is a filter
    connection: sa.Connection,
    state: FlagState,
    *,
    pointer_id: int | None = None,
    before: int | None = None,
    limit: int,
    wanted: Wanted = ANY,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return flags with the names of their outputs, newest first.

    Args:
        connection: to the database.
        state: which ones.
        pointer_id: only those of this output.
        before: only those with ids below.
        limit: how many, at most.
        wanted: only such.
    """
    query = _select_flags().where(*wanted.conditions()).limit(limit)
    if state is not FlagState.ALL:
        query = query.where(_OPEN if state is FlagState.OPEN else flag.c.resolved_at.is_not(None))
    if pointer_id is not None:
        query = query.where(flag.c.pointer_id == pointer_id)
    if before is not None:
        query = query.where(flag.c.id < before)
    return connection.execute(query).all()


def read_flags(
    connection: sa.Connection, flag_ids: Collection[int]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Return flags by id, newest first."""
    return connection.execute(_select_flags().where(flag.c.id.in_(flag_ids))).all()


def shape_flag(row: sa.Row[*tuple[Any, ...]]) -> Flag:
    """Return a flag as the API tells of it."""
    fields = row._asdict()
    severity = fields.pop("severity")
    return Flag(**fields, severity=None if severity is None else Severity(severity))


def find_flagged_runs(connection: sa.Connection, run_ids: Collection[int]) -> set[int]:
    """Return those of the runs that last wrote an output when it got a flag that is still open."""
    return set(connection.scalars(_select_flagged_runs(), {"id": list(run_ids)}))


@prepared
def _select_flagged_runs() -> sa.Select[int]:
    asked = ask(id=sa.BigInteger)
    return sa.select(flag.c.run_id).join(asked, asked.c.id == flag.c.run_id).where(_OPEN)


def count_flagged_by_run(
    connection: sa.Connection, only: Collection[int] = ()
) -> dict[int | None, int]:
    """Return how many open flags each run's outputs have; under None those that no run wrote.

    Args:
        connection: to the database.
        only: ids of the flags that are counted; all of them if none is named.
    """
    query = sa.select(flag.c.run_id, sa.func.count()).where(_OPEN).group_by(flag.c.run_id)
    if only:
        query = query.where(flag.c.id.in_(only))
    return dict(connection.execute(query).all())


def count_open_flags(connection: sa.Connection) -> int:
    """Return the number of open flags."""
    return connection.scalar(sa.select(sa.func.count()).select_from(flag).where(_OPEN)) or 0


def open_flags(
    connection: sa.Connection,
    pointer_ids: Collection[int],
    *,
    by: str | None,
    reason: str | None,
    severity: str | None,
) -> list[int]:
    """Flag the pointers and return the new flags' ids; one that has an open flag keeps it.

    Each flag is tied to the run that had written the pointer last.
    """
    asked = unnest(id=(list(pointer_ids), sa.BigInteger))
    writer = select_last_writer(asked.c.id).correlate(asked).scalar_subquery()
    said = (sa.literal(text, sa.Text) for text in (by, reason, severity))
    rows = sa.select(asked.c.id, writer, *said)
    statement = (
        pg.insert(flag)
        .from_select(["pointer_id", "run_id", "flagged_by", "reason", "severity"], rows)
        .on_conflict_do_nothing(index_elements=["pointer_id"], index_where=_OPEN)
        .returning(flag.c.id)
    )
    return list(connection.scalars(statement))


def close_flags(
    connection: sa.Connection,
    pointer_ids: Collection[int] | None,
    *,
    by: str | None,
    resolution: str | None,
) -> list[int]:
    """Resolve the open flags of the pointers (None: of all) and return the flags' ids."""
    statement = (
        sa.update(flag)
        .where(_OPEN)
        .values(resolved_at=sa.func.now(), resolved_by=by, resolution=resolution)
        .returning(flag.c.id)
    )
    if pointer_ids is not None:
        statement = statement.where(flag.c.pointer_id.in_(pointer_ids))
    return list(connection.scalars(statement))


def count_unflagged(
    connection: sa.Connection, flagged_runs: Collection[int], limit: int
) -> dict[int, int]:
    """Return the contrast of a review: how many outputs nobody flagged each comparable run wrote.

    Comparable are runs of the same components as the flagged ones, from as long before the first
    flagged run as after the last: the span of the flagged runs, and at least 30 days. Of more than
    ``limit`` runs the nearest to the flagged ones in time count.
    """
    run = component_run
    roots = (
        sa.select(
            run.c.component,
            sa.func.min(run.c.started_at).label("first"),
            sa.func.max(run.c.started_at).label("last"),
        )
        .where(run.c.id.in_(flagged_runs))
        .group_by(run.c.component)
        .cte("roots")
    )
    margin = sa.func.greatest(roots.c.last - roots.c.first, sa.text("interval '30 days'"))
    away = sa.func.greatest(roots.c.first - run.c.started_at, run.c.started_at - roots.c.last)
    nearest = (
        sa.select(run.c.id)
        .join(roots, roots.c.component == run.c.component)
        .where(run.c.started_at.between(roots.c.first - margin, roots.c.last + margin))
        .order_by(away, run.c.id)
        .limit(limit)
        .cte("nearest")
    )
    flagged = sa.exists().where(flag.c.pointer_id == run_io.c.pointer_id, _OPEN)
    query = (
        sa.select(run_io.c.run_id, sa.func.count())
        .join(nearest, nearest.c.id == run_io.c.run_id)
        .where(is_direction(run_io, "output"), sa.not_(flagged))
        .group_by(run_io.c.run_id)
    )
    return dict(connection.execute(query).all())


def _select_flags() -> sa.Select[Any]:
    return (
        sa.select(
            flag.c.id,
            io_pointer.c.name.label("output"),
            *(column for column in flag.c if column.name not in {"id", "pointer_id"}),
        )
        .join_from(flag, io_pointer, io_pointer.c.id == flag.c.pointer_id)
        .order_by(flag.c.id.desc())
    )
