"""What is judged once and then remembered."""

from collections.abc import Callable

import sqlalchemy as sa
from builders import make_profile, make_run
from summarising import make_numeric

from mltrace_exporter.store.references import ProfileKey
from mltrace_exporter.store.verdicts import judge_profiles, tell_drifts


def test_a_comparison_is_judged_once_and_its_profiles_are_read_once(
    connection: sa.Connection, record: Callable[..., None]
) -> None:
    for day in range(2):
        delays = make_numeric("delay", [minutes + 300.25 * day for minutes in range(400)])
        record(make_run("etl", day, profiles=(make_profile(delays, variable="flights"),)))
    now, before = ProfileKey(2, "output", "flights"), ProfileKey(1, "output", "flights")
    statements: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *given: statements.append(given[2]))

    first = judge_profiles(connection, [(now, before)])
    count = len(statements)
    again = judge_profiles(connection, [(now, before)])

    assert again == first
    assert first[now, before].drift.drifted
    assert first[now, before].before.columns[0].count == 400
    assert (count, len(statements)) == (2, 3)
    assert tell_drifts(connection, [(now, before)]) == {
        (now, before): tuple(first[now, before].drift.sentences)
    }
    assert len(statements) == 4
