"""What a component's tests found over time."""

import sqlalchemy as sa

from mltrace_exporter.queries.components import require_component
from mltrace_exporter.store.outcomes import read_trials
from mltrace_otel.contract.api import CaseHistory, Trial


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
