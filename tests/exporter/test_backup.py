"""The backup of docs/how-to/backup.md: a dump, restored elsewhere, gives the same answers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import make_run, make_test, read, wrote
from click.testing import CliRunner

from mltrace_exporter.embedded.programs import find_programs
from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.database import open_engine
from mltrace_otel.cli.main import mltrace
from mltrace_otel.contract.api import FlagRequest, Review


@pytest.fixture
def empty_url(postgres_url: sa.URL) -> Iterator[sa.URL]:
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE restored"))
        yield postgres_url.set(database="restored")
        connection.execute(sa.text("DROP DATABASE restored WITH (FORCE)"))
    server.dispose()


def test_a_restored_dump_gives_the_same_answers(
    engine: sa.Engine, empty_url: sa.URL, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        write_runs(
            connection,
            [
                make_run("etl", 0, io=[wrote("a.csv", "d:1")], tests=[make_test(status="fail")]),
                make_run(
                    "train", 5, io=[read("a.csv", "d:1"), wrote("m")], code="def train(): ..."
                ),
            ],
        )
        flag_outputs(connection, FlagRequest(["m"], reason="odd"))
    dump = tmp_path / "mltrace.dump"

    run_program("pg_dump", "--format=custom", f"--file={dump}", render(engine.url))
    run_program(
        "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={render(empty_url)}", dump
    )

    restored = open_engine(empty_url.render_as_string(hide_password=False))
    assert ask(restored) == ask(engine)
    restored.dispose()
    address = empty_url.render_as_string(hide_password=False)
    checked = CliRunner().invoke(mltrace, ["db", "check", "--database-url", address])
    assert (checked.exit_code, checked.output.splitlines()[-1]) == (0, "Nothing is wrong.")


def ask(engine: sa.Engine) -> Review:
    with engine.connect() as connection:
        return review_flags(connection)


def render(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def run_program(name: str, *arguments: object) -> None:
    program = find_programs(Path.cwd()).folder / name
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [str(program), *map(str, arguments)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
