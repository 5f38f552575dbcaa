"""What is known of many runs at once, in numbers."""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.liveness import shown_execution
from mltrace_exporter.store.schema import component_run, is_failed_test, test_result


def judge_runs(connection: sa.Connection, run_ids: Collection[int]) -> tuple[int, dict[str, int]]:
    """Return how many tests of these runs failed, and how many runs ended in each way."""
    asked = unnest(id=(list(run_ids), sa.BigInteger))
    tests = (
        sa.select(sa.func.count())
        .select_from(asked.join(test_result, test_result.c.run_id == asked.c.id))
        .where(is_failed_test)
    )
    shown = shown_execution(component_run)
    ends = (
        sa.select(shown, sa.func.count())
        .select_from(asked.join(component_run, component_run.c.id == asked.c.id))
        .group_by(shown)
    )
    return connection.scalar(tests) or 0, dict(connection.execute(ends).all())
