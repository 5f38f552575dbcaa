"""What is asked often is planned once for a connection, and says the same."""

import pytest
import sqlalchemy as sa
from builders import make_run, read, wrote

from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.lineage.ancestors import read_edges
from mltrace_exporter.store.preparation import prepared

PREPARED = sa.text("SELECT name, generic_plans, custom_plans FROM pg_prepared_statements")


@prepared
def select_share() -> sa.Select[str]:
    share = sa.cast(sa.bindparam("share"), sa.Integer)
    return sa.select(sa.cast(share, sa.Text) + " %").where(share >= sa.bindparam("least"))


def test_a_statement_is_planned_once_for_a_connection(connection: sa.Connection) -> None:
    said = [connection.scalar(select_share(), {"share": n, "least": 2}) for n in (1, 2, 3)]

    assert said == [None, "2 %", "3 %"]
    assert connection.execute(PREPARED).all() == [("mltrace_0", 3, 0)]


def test_it_stays_prepared_when_the_transaction_is_rolled_back(connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.DataError):
        connection.scalar(select_share(), {"share": "no number", "least": 2})
    connection.rollback()

    assert connection.scalar(select_share(), {"share": 4, "least": 2}) == "4 %"
    assert len(connection.execute(PREPARED).all()) == 1


def test_lineage_is_asked_by_prepared_statements(connection: sa.Connection) -> None:
    write_runs(
        connection,
        [make_run("etl", 1, io=[wrote("table")]), make_run("train", 3, io=[read("table")])],
    )
    trained = connection.scalar(sa.text("SELECT max(id) FROM component_run"))

    for _ in range(2):
        assert [edge.rule for edge in read_edges(connection, [trained or 0])] == ["name"]

    edges = sa.text(f"{PREPARED} WHERE statement LIKE '%same_content_and_name%'")
    assert [(*plans,) for _, *plans in connection.execute(edges)] == [(2, 0)]
