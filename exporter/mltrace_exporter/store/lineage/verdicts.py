"""How many runs ended, and what their tests found, all at once."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.lineage.evidence import list_failed_tests
from mltrace_exporter.store.liveness import shown_execution
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run's component, how the run ended, and its tests that failed, as "Suite.case"."""

    run_id: int
    component: str
    execution: str
    failed_tests: list[str]


def read_verdicts(connection: sa.Connection, run_ids: Collection[int]) -> list[Verdict]:
    """Return the verdict on each run."""
    rows = connection.execute(_select_verdicts(), {"id": list(run_ids)})
    return [Verdict(*row) for row in rows]


@prepared
def _select_verdicts() -> sa.Select[int, str, str, list[str]]:
    asked, run = ask(id=sa.BigInteger), component_run
    return sa.select(
        run.c.id, run.c.component, shown_execution(run), list_failed_tests(run)
    ).select_from(asked.join(run, run.c.id == asked.c.id))
