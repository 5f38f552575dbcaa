"""What tests found, over the newest runs of their components."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.schema import component, component_run, test_result

Row = sa.Row[*tuple[Any, ...]]


def read_trials(connection: sa.Connection, component: str, *, limit: int) -> Sequence[Row]:
    """Return the outcomes of the tests of a component's newest runs, newest run first.

    Args:
        connection: to the database.
        component: its name.
        limit: how many runs to look at; those whose tests were left out count as well.
    """
    run, test = component_run, test_result
    newest = (
        sa.select(run.c.id, run.c.started_at)
        .where(run.c.component == component)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(limit)
        .subquery("newest")
    )
    query = (
        sa.select(
            test.c.suite,
            test.c["case"],
            test.c.phase,
            newest.c.id.label("run_id"),
            newest.c.started_at,
            test.c.status,
            test.c.message,
            test.c.duration_s,
        )
        .select_from(newest.join(test, test.c.run_id == newest.c.id))
        .order_by(newest.c.started_at.desc(), newest.c.id.desc(), test.c.position)
    )
    return connection.execute(query).all()


def read_overview(
    connection: sa.Connection, components: Collection[str], *, trials: int
) -> Sequence[Row]:
    """Return each test of some components.

    Columns: ``component``, ``owner``, ``suite``, ``case``, ``phase``; arrays, newest run first:
    ``run_ids``, ``moments``, ``statuses``; of the newest ``message`` and ``duration_s``.

    Args:
        connection: to the database.
        components: their names.
        trials: how many runs of each component to look at.
    """
    run, test = component_run, test_result
    newest = (
        sa.select(run.c.id, run.c.started_at)
        .where(run.c.component == component.c.name)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(trials)
        .correlate(component)
        .lateral("newest")
    )

    def gather(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        order = (newest.c.started_at.desc(), newest.c.id.desc(), test.c.position)
        return sa.func.array_agg(pg.aggregate_order_by(column, *order))

    keys = (component.c.name, component.c.owner, test.c.suite, test.c["case"], test.c.phase)
    query = (
        sa.select(
            component.c.name.label("component"),
            *keys[1:],
            gather(newest.c.id).label("run_ids"),
            gather(newest.c.started_at).label("moments"),
            gather(test.c.status).label("statuses"),
            gather(test.c.message)[1].label("message"),
            gather(test.c.duration_s)[1].label("duration_s"),
        )
        .select_from(component.join(newest, sa.true()).join(test, test.c.run_id == newest.c.id))
        .where(component.c.name.in_(components))
        .group_by(*keys)
        .order_by(component.c.name, test.c.suite, test.c["case"], test.c.phase)
    )
    return connection.execute(query).all()
