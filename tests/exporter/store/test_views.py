"""What dashboards read: the rows are those of the API's answers, and every column is explained."""

from collections.abc import Sequence
from typing import Any

import psycopg2
import pytest
import sqlalchemy as sa
from builders import make_profile, make_run, make_test, read, wrote
from sqlalchemy.dialects.postgresql import REGCLASS
from summarising import make_numeric

from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.model import MetricValue
from mltrace_exporter.queries.lineage import trace_output
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.store import views
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.database import migrate
from mltrace_exporter.store.views import READER, SCHEMA, VIEWS, View
from mltrace_otel.contract.api import FlagRequest

RUNS = [
    make_run("etl", 0, io=[wrote("a.csv", "d:1")], code="one", tests=[make_test()]),
    make_run("etl", 2, io=[wrote("a.csv", "d:2")], code="two", tests=[make_test(status="fail")]),
    make_run("side", 3, io=[wrote("b")]),
    make_run("train", 5, io=[read("a.csv", "d:1"), read("b"), wrote("m")], execution="error"),
    make_run(
        "predict",
        8,
        io=[read("m"), wrote("prediction")],
        partition="x",
        profiles=(make_profile(make_numeric("delay", [1.0, None])),),
        metrics=(MetricValue("mae", 1.5),),
    ),
]


@pytest.fixture
def filled(connection: sa.Connection) -> sa.Connection:
    write_runs(connection, RUNS)
    flag_outputs(connection, FlagRequest(["prediction"], reason="odd"))
    return connection


ARGUMENTS = {(): "", ("text",): "('prediction')", ("integer",): "(100)"}


def ask(connection: sa.Connection, question: str, **parameters: Any) -> Sequence[Any]:
    text = f"SELECT {question.replace('FROM ', f'FROM {SCHEMA}.', 1)}"
    return connection.execute(sa.text(text), parameters).all()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_column_is_explained_in_the_database(connection: sa.Connection, view: View) -> None:
    relation = f"{SCHEMA}.{view.name}{'_row' if view.parameters else ''}"
    query = sa.text(
        "SELECT attname, col_description(attrelid, attnum) FROM pg_attribute "
        "WHERE attrelid = CAST(:relation AS regclass) AND attnum > 0 ORDER BY attnum"
    )
    rows = connection.execute(query, {"relation": relation}).all()

    assert [tuple(row) for row in rows] == list(view.columns.items())


def test_recent_runs_tell_how_runs_and_tests_ended(filled: sa.Connection) -> None:
    rows = ask(
        filled,
        "component, execution, tests, duration_s, owner, partition FROM recent_runs "
        "ORDER BY started_at DESC",
    )
    assert [tuple(row) for row in rows] == [
        ("predict", "ok", "none", 60.0, "plumber", "x"),
        ("train", "error", "none", 60.0, "plumber", None),
        ("side", "ok", "none", 60.0, "plumber", None),
        ("etl", "ok", "failed", 60.0, "plumber", None),
        ("etl", "ok", "passed", 60.0, "plumber", None),
    ]


def test_history_compares_a_run_with_the_one_before(filled: sa.Connection) -> None:
    rows = ask(
        filled,
        "run_before_id IS NULL, since_run_before_s, code_changed, output_count "
        "FROM component_history WHERE component = 'etl' ORDER BY started_at",
    )
    assert [tuple(row) for row in rows] == [(True, None, False, 1), (False, 120.0, True, 1)]


def test_staleness_is_that_of_the_newest_runs(filled: sa.Connection) -> None:
    rows = ask(filled, "component, kind, dependency_component, fresher_count FROM staleness")
    assert [tuple(row) for row in rows] == [("train", "fresher_run", "etl", 1)]


def test_test_outcomes_are_listed_one_by_one(filled: sa.Connection) -> None:
    rows = ask(filled, "component, test, outcome FROM test_outcomes ORDER BY started_at")
    assert [tuple(row) for row in rows] == [
        ("etl", "testRange", "passed"),
        ("etl", "testRange", "failed"),
    ]


def test_flagged_outputs_name_the_run_that_wrote_them(filled: sa.Connection) -> None:
    rows = ask(filled, "output, component, reason, is_open FROM flagged_outputs")
    assert [tuple(row) for row in rows] == [("prediction", "predict", "odd", True)]


def test_coverage_is_that_of_the_review(filled: sa.Connection) -> None:
    flag_outputs(filled, FlagRequest(["m"]))
    rows = ask(
        filled,
        "run_id, component, execution, tests, flagged_with, flagged_total, coverage "
        "FROM flag_coverage(100)",
    )
    candidates = review_flags(filled).candidates

    assert {tuple(row) for row in rows} == {
        (
            *(each.run.id, each.run.component, each.run.execution, each.run.tests),
            *(each.flagged_with, 2, each.coverage),
        )
        for each in candidates
    }
    assert {row.component for row in rows} == {"etl", "side", "train", "predict"}


def test_of_more_flags_than_asked_for_the_newest_count(filled: sa.Connection) -> None:
    flag_outputs(filled, FlagRequest(["b"]))
    rows = ask(filled, "component, coverage FROM flag_coverage(1)")
    assert [tuple(row) for row in rows] == [("side", 1.0)]


def test_outputs_and_components_are_listed(filled: sa.Connection) -> None:
    written = ask(filled, "output, type FROM outputs WHERE component = 'etl'")
    assert [tuple(row) for row in written] == [("a.csv", "unknown"), ("a.csv", "unknown")]
    names = ask(filled, "component FROM components ORDER BY component")
    assert [row.component for row in names] == ["etl", "predict", "side", "train"]


def test_lineage_is_that_of_the_trace_and_no_edge_leads_out(filled: sa.Connection) -> None:
    trace = trace_output(filled, "prediction")
    nodes = ask(filled, "id, title, color FROM lineage_nodes('prediction')")
    edges = ask(filled, "source, target, mainstat FROM lineage_edges('prediction')")

    assert {(row.id, row.title) for row in nodes} == {
        (str(node.run.id), node.run.component) for node in trace.nodes
    }
    assert {row.title: row.color for row in nodes}["train"] == "red"
    assert {(row.source, row.target, row.mainstat) for row in edges} == {
        (str(edge.producer_id), str(edge.consumer_id), edge.pointer) for edge in trace.edges
    }


def test_the_lineage_of_what_nobody_wrote_is_empty(filled: sa.Connection) -> None:
    assert ask(filled, "* FROM lineage_nodes('nothing')") == []
    assert ask(filled, "* FROM lineage_edges('nothing')") == []


def test_the_reader_reads_the_views_and_nothing_else(filled: sa.Connection) -> None:
    filled.execute(sa.text(f"SET LOCAL ROLE {READER}"))
    for view in VIEWS:
        arguments = ARGUMENTS[tuple(view.parameters.values())]
        assert ask(filled, f"count(*) FROM {view.name}{arguments}")[0][0] > 0
    for forbidden in ("SELECT FROM component_run", "DELETE FROM flag"):
        with (
            pytest.raises(sa.exc.ProgrammingError) as raised,
            filled.begin_nested(),
        ):
            filled.execute(sa.text(forbidden))
        assert isinstance(raised.value.orig, psycopg2.errors.InsufficientPrivilege)


def test_views_are_made_anew_only_when_they_are_others(engine: sa.Engine) -> None:
    identity = sa.select(sa.cast(f"{SCHEMA}.recent_runs", REGCLASS).cast(sa.BigInteger))
    with engine.connect() as connection:
        before = connection.scalar(identity)
    migrate(engine)
    with engine.begin() as connection:
        assert connection.scalar(identity) == before
        connection.execute(sa.text(f"COMMENT ON SCHEMA {SCHEMA} IS 'of an older version'"))
    migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(identity) != before


def test_a_user_who_may_not_create_roles_still_gets_the_views(connection: sa.Connection) -> None:
    views.drop(connection)
    connection.execute(sa.text("CREATE ROLE modest"))
    connection.execute(sa.text("GRANT ALL ON ALL TABLES IN SCHEMA public TO modest"))
    connection.execute(
        sa.text(
            "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO modest', "
            "current_database()); END $$"
        )
    )
    connection.execute(sa.text("SET LOCAL ROLE modest"))
    views.create(connection)

    assert ask(connection, "count(*) FROM recent_runs")[0][0] == 0
