"""For runs that are suspect: the run of the same component to hold each against."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.edges import is_final
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run


def find_siblings(
    connection: sa.Connection, run_ids: Collection[int], involved: Collection[int]
) -> dict[int, int]:
    """Return the nearest run of each run's component that is not involved, by the run's id.

    The last earlier one counts; only where there is none, the first later one.

    Args:
        connection: to the database.
        run_ids: the suspects.
        involved: all runs that led to what is wrong.
    """
    parameters = {"id": list(run_ids), "involved": list(involved)}
    return dict(connection.execute(_select_siblings(), parameters).all())


@prepared
def _select_siblings() -> sa.Select[int, int]:
    asked, run = ask(id=sa.BigInteger), component_run
    involved = sa.select(ask(involved=sa.BigInteger).c.involved).cte("those")
    before, after = (_find_nearest(run, involved, is_earlier=each) for each in (True, False))
    sibling = sa.func.coalesce(before.c.id, after.c.id)
    return (
        sa.select(run.c.id, sibling)
        .select_from(
            asked.join(run, run.c.id == asked.c.id)
            .outerjoin(before, sa.true())
            .outerjoin(after, before.c.id.is_(None))
        )
        .where(sibling.is_not(None))
    )


def _find_nearest(run: sa.Table, involved: sa.CTE, *, is_earlier: bool) -> sa.FromClause:
    other = component_run.alias("earlier" if is_earlier else "later")
    place: Any = sa.tuple_(other.c.started_at, other.c.id)
    own: Any = sa.tuple_(run.c.started_at, run.c.id)
    keys = (other.c.started_at, other.c.id)
    return (
        sa.select(other.c.id)
        .where(
            other.c.component == run.c.component,
            place < own if is_earlier else place > own,
            other.c.id.not_in(sa.select(involved.c.involved)),
            is_final(other),
        )
        .order_by(*(key.desc() if is_earlier else key.asc() for key in keys))
        .limit(1)
        .lateral("before" if is_earlier else "after")
    )
