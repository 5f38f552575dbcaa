"""What tests found over time."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.queries.components import require_component
from mltrace_exporter.store.outcomes import Row, read_overview, read_trials
from mltrace_otel.contract.api import CaseHistory, Trial


@dataclass(frozen=True, slots=True)
class TestRecord:
    """A test of some component.

    Attributes:
        component: whose test it is.
        owner: who answers for the component, if anybody said so.
        history: what it found, in its newest run and in those before; only the newest trial has a
            message and a duration.
    """

    component: str
    owner: str | None
    history: CaseHistory

    @property
    def is_failing(self) -> bool:
        """True if it failed, or could not be run, when it last ran."""
        return self.history.trials[0].status in {"fail", "error"}


def list_tests_of(
    connection: sa.Connection, components: Collection[str], *, trials: int
) -> list[TestRecord]:
    """Return the tests of some components by their names.

    Args:
        connection: to the database.
        components: their names.
        trials: how many runs of each component to look at.
    """
    return [_shape(row) for row in read_overview(connection, components, trials=trials)]


def _shape(row: Row) -> TestRecord:
    newest = (row.message, row.duration_s)
    trials = [
        Trial(run_id, started_at, status, *(newest if not at else (None, None)))
        for at, (run_id, started_at, status) in enumerate(
            zip(row.run_ids, row.moments, row.statuses, strict=True)
        )
    ]
    return TestRecord(row.component, row.owner, CaseHistory(row.suite, row.case, row.phase, trials))


def list_tests(connection: sa.Connection, component: str, *, limit: int) -> list[CaseHistory]:
    """Return each test of a component's newest runs, in the order in which the newest ran them.

    A test that only ran in older ones follows after those.

    Args:
        connection: to the database.
        component: its name.
        limit: how many runs to look at.

    Raises:
        NotFound: there is no such component.
    """
    require_component(connection, component)
    found: dict[tuple[str, str, str], list[Trial]] = {}
    for suite, case, phase, *trial in read_trials(connection, component, limit=limit):
        found.setdefault((suite, case, phase), []).append(Trial(*trial))
    return [CaseHistory(*test, trials) for test, trials in found.items()]
