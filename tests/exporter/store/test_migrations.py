"""Every schema that was ever released comes to the newest one with its data."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from mltrace_exporter.errors import Unavailable
from mltrace_exporter.queries.lineage import trace_output
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.store import database
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, read_totals
from mltrace_exporter.store.database import check_revision, migrate, open_engine
from mltrace_exporter.store.pointers import hash_name
from mltrace_exporter.store.schema import metadata

# As the exporter of revision 0001 wrote it.
FILLING = """
INSERT INTO code VALUES ('\\x01', 'def clean(): ...');
INSERT INTO component VALUES
    ('etl', 'plumber', 'Cleans', '{etl}', '2026-01-01', '\\x0000000000000001'),
    ('train', NULL, NULL, '{}', NULL, NULL);
INSERT INTO component_run
    (trace_id, span_id, component, started_at, ended_at, execution, notes, code_hash)
VALUES
    ('\\x01', '\\x01', 'etl', '2026-01-01 00:00', '2026-01-01 00:01', 'ok', 'by night', '\\x01'),
    ('\\x02', '\\x02', 'train', '2026-01-01 00:02', '2026-01-01 00:03', 'error', NULL, NULL);
INSERT INTO io_pointer VALUES (:data, 'a.csv'), (:model, 'm');
INSERT INTO run_io (run_id, position, direction, pointer_id, moment, type, digest) VALUES
    (1, 0, 'output', :data, '2026-01-01 00:01', 'data', 'd:1'),
    (2, 0, 'input', :data, '2026-01-01 00:02', 'data', 'd:1'),
    (2, 1, 'output', :model, '2026-01-01 00:03', 'model', 'd:2');
INSERT INTO test_result VALUES (1, 0, 'RangeTest', 'testRange', 'after', 'fail', 'below 0', 0.1);
INSERT INTO flag (pointer_id, run_id, reason) VALUES (:model, 2, 'odd');
INSERT INTO metric_total VALUES
    ('mltrace_component_runs_total', '{etl,succeeded}', 1),
    ('mltrace_component_runs_total', '{train,failed}', 1);
"""


@pytest.fixture
def empty(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A database without tables."""
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("DROP SCHEMA mltrace_ro CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    fresh = open_engine(engine.url.render_as_string(hide_password=False))
    yield fresh
    fresh.dispose()


def migrate_to(engine: sa.Engine, revision: str) -> None:
    config = Config()
    folder = Path(database.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_the_first_schema_comes_to_the_newest_with_its_data(empty: sa.Engine) -> None:
    migrate_to(empty, "0001")
    with empty.begin() as connection:
        ids = {"data": hash_name("a.csv"), "model": hash_name("m")}
        for statement in FILLING.split(";\n")[:-1]:
            connection.execute(sa.text(statement), ids)
        with pytest.raises(Unavailable, match=r"revision 0001, not .*mltrace db upgrade"):
            check_revision(connection)

    migrate(empty)

    with empty.connect() as connection:
        check_revision(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        trace = trace_output(connection, "m")
        assert [(node.run.component, node.run.execution) for node in trace.nodes] == [
            ("train", "error"),
            ("etl", "ok"),
        ]
        assert [edge.rule for edge in trace.edges] == ["digest"]
        (flag,) = review_flags(connection).flags
        assert (flag.output, flag.reason) == ("m", "odd")
        assert read_totals(connection, RUNS_TOTAL) == {
            ("etl", "succeeded"): 1,
            ("train", "failed"): 1,
        }
        row = connection.execute(
            sa.text("SELECT tests, tags, failed_tests FROM mltrace_ro.recent_runs WHERE run_id = 1")
        ).one()
        assert tuple(row) == ("failed", ["etl"], 1)


def test_a_database_without_tables_is_not_ready(empty: sa.Engine) -> None:
    with empty.connect() as connection, pytest.raises(Unavailable, match="no tables yet"):
        check_revision(connection)


def test_every_revision_can_be_stopped_at(empty: sa.Engine) -> None:
    for revision in ("0001", "0002", "0003", "0004", "0005", "0006"):
        migrate_to(empty, revision)
    migrate(empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
