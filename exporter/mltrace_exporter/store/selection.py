"""Which runs? Filters that stay fast on long histories, pages by key, and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import is_final
from mltrace_exporter.store.liveness import shown_execution
from mltrace_exporter.store.schema import (
    begin,
    component,
    component_run,
    flag,
    is_failed_test,
    test_result,
)
from mltrace_otel.contract.api import RunOrder, RunStatus

Cursor = tuple[datetime, int]
"""Start and id of the last run of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which runs, and in which order by their start; nothing said means any.

    Attributes:
        component: runs of this component.
        tag: runs of components that carry this tag.
        owner: runs of components of this owner.
        partition: runs about this part of the data.
        status: runs that ended so, or whose tests failed.
        since: runs that began then or later.
        until: runs that began before.
        flagged: only runs with an output that is flagged now.
        order: which run comes first.
        skip: how many runs to leave out, counted from the first.
    """

    component: str | None = None
    tag: str | None = None
    owner: str | None = None
    partition: str | None = None
    status: RunStatus | None = None
    since: datetime | None = None
    until: datetime | None = None
    flagged: bool = False
    order: RunOrder = RunOrder.NEWEST
    skip: int = 0


EVERYTHING = Selection()


def find_runs(
    connection: sa.Connection, selection: Selection, *, after: Cursor | None, limit: int
) -> list[int]:
    """Return ids of selected runs in order, beginning behind the cursor ``after``."""
    run = component_run
    conditions = [*_list_conditions(selection, run), *_pass(selection, run, after)]
    query = sa.select(run.c.id, run.c.started_at).where(*conditions)
    query = query.order_by(*_order(selection, run.c.started_at, run.c.id)).limit(
        selection.skip + limit
    )
    names = _select_components(selection)
    if names is not None:
        # Each component's own index gives its first runs, however rare they are among all.
        first = query.where(run.c.component == names.c.name).lateral("first")
        query = sa.select(first.c.id, first.c.started_at).select_from(names.join(first, sa.true()))
        query = query.order_by(*_order(selection, first.c.started_at, first.c.id)).limit(
            selection.skip + limit
        )
    return list(connection.scalars(query.offset(selection.skip).limit(limit)))


def count_runs(connection: sa.Connection, selection: Selection) -> int:
    """Return how many runs are selected."""
    run = component_run
    query = sa.select(sa.func.count()).select_from(run).where(*_list_conditions(selection, run))
    names = _select_components(selection)
    if names is not None:
        query = query.where(run.c.component.in_(sa.select(names.c.name)))
    return connection.scalar(query) or 0


def _select_components(selection: Selection) -> sa.Subquery | None:
    """Return the components that tag and owner select; None if neither is said."""
    query = sa.select(component.c.name)
    if selection.tag is not None:
        query = query.where(component.c.tags.contains([selection.tag]))
    if selection.owner is not None:
        query = query.where(component.c.owner == selection.owner)
    said = selection.tag is not None or selection.owner is not None
    return query.subquery("named") if said else None


def _list_conditions(selection: Selection, run: sa.Table) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if selection.component is not None:
        conditions.append(run.c.component == selection.component)
    if selection.partition is not None:
        # The first condition is what the index knows.
        conditions.append(begin(run.c.partition) == begin(sa.literal(selection.partition)))
        conditions.append(run.c.partition == selection.partition)
    if selection.since is not None:
        conditions.append(run.c.started_at >= selection.since)
    if selection.until is not None:
        conditions.append(run.c.started_at < selection.until)
    if selection.status is not None:
        conditions.append(_has_status(run, selection.status))
    if selection.flagged:
        flagged = sa.select(flag.c.run_id).where(flag.c.resolved_at.is_(None))
        conditions.append(run.c.id.in_(flagged))
    return conditions


def _has_status(run: sa.Table, status: RunStatus) -> sa.ColumnElement[bool]:
    if status is RunStatus.TESTS_FAILED:
        return run.c.id.in_(sa.select(test_result.c.run_id).where(is_failed_test))
    ok = run.c.execution == sa.literal_column("'ok'")
    if status is RunStatus.OK:
        return ok
    if status is RunStatus.ENDED:
        return is_final(run)
    # The first condition is what the index knows.
    return ~ok & (shown_execution(run) == sa.literal_column(f"'{status}'"))


def _pass(
    selection: Selection, run: sa.Table, after: Cursor | None
) -> Sequence[sa.ColumnElement[bool]]:
    if after is None:
        return ()
    place = sa.tuple_(run.c.started_at, run.c.id)
    cursor = sa.tuple_(*after)
    return (place < cursor if selection.order is RunOrder.NEWEST else place > cursor,)


def _order(
    selection: Selection, started_at: sa.ColumnElement[datetime], id_: sa.ColumnElement[int]
) -> list[sa.ColumnElement[Any]]:
    if selection.order is RunOrder.NEWEST:
        return [started_at.desc(), id_.desc()]
    return [started_at.asc(), id_.asc()]
