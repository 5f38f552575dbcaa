"""What a component's tests found, over its newest runs."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.schema import component_run, test_result

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
