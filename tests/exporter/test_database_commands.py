"""`mltrace db`, against a PostgreSQL of the user's and against the private one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from builders import make_run, wrote
from click.testing import CliRunner, Result

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.database import find_newest_revision
from mltrace_otel.cli.main import mltrace

NEWEST = find_newest_revision()


@pytest.fixture
def filled_url(engine: sa.Engine, database_url: str) -> str:
    with engine.begin() as connection:
        runs = [make_run("etl", step, io=[wrote(f"o{step}")], code="x") for step in range(4)]
        write_runs(connection, runs)
    return database_url


def run(*arguments: str) -> Result:
    return CliRunner().invoke(mltrace, ["db", *arguments])


def test_upgrade_makes_the_tables_and_says_what_they_were(
    engine: sa.Engine, database_url: str
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))

    made = run("upgrade", "--database-url", database_url)
    again = run("upgrade", "--database-url", database_url)

    assert (made.exit_code, made.output) == (
        0,
        f"The tables are of revision {NEWEST}, were none.\n",
    )
    assert again.output == f"The tables are of revision {NEWEST}, were {NEWEST}.\n"


def test_check_counts_and_finds_nothing_wrong(filled_url: str) -> None:
    checked = run("check", "--database-url", filled_url)

    assert checked.exit_code == 0
    assert "           4 component_run\n" in checked.output
    assert checked.output.endswith("Nothing is wrong.\n")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("DELETE FROM io_pointer WHERE name = 'o1'", "1 inputs, outputs or flags have no name"),
        ("DELETE FROM code", "4 runs lack their code"),
        ("DELETE FROM component", "4 runs lack their component"),
        ("UPDATE alembic_version SET version_num = '0002'", f"revision 0002, not {NEWEST}"),
    ],
)
def test_check_tells_what_is_wrong(
    engine: sa.Engine, filled_url: str, fault: str, told: str
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(fault))

    checked = run("check", "--database-url", filled_url)

    assert checked.exit_code == 1
    assert f"wrong: {told}" in checked.output or told in checked.output


def test_prune_deletes_only_when_told_so(filled_url: str) -> None:
    asked = run("prune", "--runs", "1", "--database-url", filled_url)
    done = run("prune", "--runs", "1", "--yes", "--database-url", filled_url)
    again = run("prune", "--runs", "1", "--database-url", filled_url)

    assert asked.output.startswith("3 runs would be deleted; 1 are kept whatever their age.")
    assert done.stdout == "3 runs were deleted.\n"
    assert again.output.startswith("0 runs would be deleted")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Say what may go"),
        (("--days", "0"), "more than 0"),
        (("--runs", "0"), "at least 1 run"),
    ],
)
def test_prune_without_a_sensible_limit_is_refused(
    filled_url: str, arguments: tuple[str, ...], told: str
) -> None:
    refused = run("prune", *arguments, "--database-url", filled_url)

    assert refused.exit_code == 2
    assert told in refused.output


@pytest.mark.parametrize(
    ("statement", "command", "told"),
    [
        ("UPDATE alembic_version SET version_num = '0999'", "upgrade", "use the newest version"),
        ("UPDATE alembic_version SET version_num = '0999'", "prune --days 1 --yes", "0999, not"),
        ("DROP TABLE alembic_version", "prune --days 1", "`mltrace db upgrade`"),
        ("DROP TABLE alembic_version", "dead-letters", "`mltrace db upgrade`"),
        ("DROP TABLE alembic_version", "upgrade", "a database of its own"),
        ("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM guest", "upgrade", "Name a role"),
        ("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM guest", "check", "Name a role"),
    ],
)
def test_what_is_no_database_of_ours_is_told_with_what_to_do(
    engine: sa.Engine, guest: str, statement: str, command: str, told: str
) -> None:
    owner = engine.url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))

    refused = run(*command.split(), "--database-url", guest if "guest" in statement else owner)

    assert refused.exit_code in {2, 3}
    assert told in refused.output


@pytest.fixture
def guest(engine: sa.Engine) -> Iterator[str]:
    """Address of the database for a role that owns nothing."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE ROLE guest LOGIN"))
    yield engine.url.set(username="guest").render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP OWNED BY guest; DROP ROLE guest"))


def test_a_database_that_cannot_be_reached_is_told() -> None:
    away = run("check", "--database-url", "postgresql://me:secret@127.0.0.1:1/runs")

    assert away.exit_code == 3
    assert "secret" not in away.output


@pytest.mark.parametrize("name", ["home", "too-long-for-a-socket-in-it" * 3])
def test_the_private_database_is_used_whether_it_runs_or_not(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    assert run("check", "--home", str(home)).exit_code == 2
    with EmbeddedPostgres(home / "postgres", options={"fsync": "off"}):
        made = run("upgrade", "--home", str(home))
    checked = run("check", "--home", str(home))

    assert (made.exit_code, checked.exit_code) == (0, 0)
    assert checked.output.endswith("Nothing is wrong.\n")


def test_the_password_may_be_in_a_file(filled_url: str, tmp_path: Path) -> None:
    url = sa.make_url(filled_url).set(password=None, drivername="postgresql")
    file = tmp_path / "password"
    file.write_text("not asked for here, but read\n")

    known = run("check", "--database-url", str(url), "--database-password-file", str(file))
    missing = run("check", "--database-url", str(url), "--database-password-file", "nowhere")

    assert (known.exit_code, missing.exit_code) == (0, 2)
    assert "cannot be read from nowhere" in missing.output
