"""``mltrace db``: what is done to the database besides running on it."""

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import ExporterError, SettingsError, Unavailable
from mltrace_exporter.pruning import limit_at, prune_alone
from mltrace_exporter.queries.dead_letters import list_dead_letters
from mltrace_exporter.settings import DEFAULT_HOME, Retention, read_database_url
from mltrace_exporter.store.database import (
    check_revision,
    explain,
    find_newest_revision,
    migrate,
    open_engine,
    read_revision,
)
from mltrace_exporter.store.upkeep.inspection import count_dangling, count_rows
from mltrace_exporter.store.upkeep.retention import count_doomed

_FOUND_FAULTS = 1
_WRONG_USE = 2
_UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the database is: an address and its password's file, or else the private one's home."""

    database_url: str | None
    database_password_file: Path | None
    home: Path


@click.group()
def db() -> None:
    """Upgrade, check or prune the database.

    With MLTRACE_DATABASE_URL or --database-url it is a PostgreSQL of yours, else the private one
    under MLTRACE_HOME, whether a server runs on it now or not.
    """


def _database_options(command: Callable[..., None]) -> Callable[..., None]:
    @click.option(
        "--database-url",
        envvar="MLTRACE_DATABASE_URL",
        show_envvar=True,
        help="PostgreSQL 14 or newer: postgresql://user:password@host:5432/database.",
    )
    @click.option(
        "--database-password-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="MLTRACE_DATABASE_PASSWORD_FILE",
        show_envvar=True,
        help="File that holds the password, if the URL has none.",
    )
    @click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="MLTRACE_HOME",
        default=DEFAULT_HOME,
        show_default=True,
        show_envvar=True,
        help="Folder of the private PostgreSQL.",
    )
    @functools.wraps(command)
    def run(
        database_url: str | None,
        database_password_file: Path | None,
        home: Path,
        **options: Any,  # noqa: ANN401 - the command's own, named and typed by it
    ) -> None:
        command(place=_Place(database_url, database_password_file, home), **options)

    return run


@db.command()
@_database_options
def upgrade(place: _Place) -> None:
    """Make the tables, or bring them to this version; data are kept."""
    with _open(place) as engine:
        with engine.connect() as connection:
            before = read_revision(connection)
        migrate(engine)
        click.echo(f"The tables are of revision {find_newest_revision()}, were {before or 'none'}.")


@db.command()
@_database_options
def check(place: _Place) -> None:
    """Say how the database is; exit with 1 if something in it is wrong."""
    with _open(place) as engine, engine.connect() as connection:
        click.echo(f"PostgreSQL {connection.scalar(sa.text('SHOW server_version'))}")
        try:
            check_revision(connection)
        except Unavailable as error:
            click.echo(f"wrong: {error}")
            sys.exit(_FOUND_FAULTS)
        click.echo(f"revision {read_revision(connection)}, the newest")
        for table, count in count_rows(connection).items():
            click.echo(f"{count:>12,} {table}")
        faults = {fault: count for fault, count in count_dangling(connection).items() if count}
        for fault, count in faults.items():
            click.echo(f"wrong: {count:,} {fault}")
        if faults:
            sys.exit(_FOUND_FAULTS)
        click.echo("Nothing is wrong.")


@db.command()
@click.option("--days", type=float, help="Delete runs that began longer ago.")
@click.option("--runs", type=int, help="Delete all but so many runs of each component.")
@click.option("--yes", is_flag=True, help="Delete. Without it only a count is shown.")
@_database_options
def prune(days: float | None, runs: int | None, *, yes: bool, place: _Place) -> None:
    """Delete old runs.

    Kept whatever their age: all runs behind flagged outputs, and the newest run of each component
    with the ten steps upstream of it. Counters do not fall.
    """
    with _open_tables(place) as engine:
        retention = Retention(days=days, runs_per_component=runs)
        if not retention.is_limited:
            raise SettingsError("Say what may go: --days, --runs or both.")
        if yes:
            _delete(engine, retention)
            return
        with engine.connect() as connection:
            doomed, kept = count_doomed(connection, limit_at(datetime.now(UTC), retention))
        click.echo(
            f"{doomed:,} runs would be deleted; {kept:,} are kept whatever their age. "
            "Nothing was deleted: --yes does it."
        )


@db.command("dead-letters")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many to show, at most.",
)
@click.option(
    "--before", type=click.IntRange(0, 2**63 - 1), help="Only those with smaller numbers."
)
@_database_options
def dead_letters(limit: int, before: int | None, place: _Place) -> None:
    """Show spans that were received and could not be stored, newest first."""
    with _open_tables(place) as engine, engine.connect() as connection:
        page = list_dead_letters(connection, before=before, limit=limit)
    for letter in page.items:
        about = f" of {letter.component}" if letter.component else ""
        received_at = f"{letter.received_at:%Y-%m-%d %H:%M:%S}"
        click.echo(f"{letter.id}  {received_at}  {letter.size_bytes} bytes{about}: {letter.reason}")
    if not page.items:
        click.echo("There are none.")
    elif page.next_cursor is not None:
        click.echo(f"There are more: --before {page.next_cursor}", err=True)


def _delete(engine: sa.Engine, retention: Retention) -> None:
    count = prune_alone(engine, retention, lambda done: click.echo(f"{done:,} ...", err=True))
    if count is None:
        raise Unavailable("Another program is deleting old runs now: try again later.")
    click.echo(f"{count:,} runs were deleted.")


@contextmanager
def _open_tables(place: _Place) -> Iterator[sa.Engine]:
    """Open a database whose tables are those of this version."""
    with _open(place) as engine:
        with engine.connect() as connection:
            check_revision(connection)
        yield engine


@contextmanager
def _open(place: _Place) -> Iterator[sa.Engine]:
    """Open the database; what goes wrong ends the program with a sentence."""
    with ExitStack() as cleanup:
        try:
            url = (
                _find_private(place.home.expanduser().absolute() / "postgres", cleanup)
                if place.database_url is None
                else read_database_url(place.database_url, place.database_password_file)
            )
            engine = open_engine(url)
            cleanup.callback(engine.dispose)
            yield engine
        except sa.exc.DBAPIError as error:
            _end(explain(error), _UNREACHABLE)
        except Unavailable as error:
            _end(str(error), _UNREACHABLE)
        except ExporterError as error:
            _end(str(error), _WRONG_USE)


def _find_private(data_dir: Path, cleanup: ExitStack) -> str:
    """Return the address of the private PostgreSQL, started if no server runs on its data."""
    server = EmbeddedPostgres(data_dir)
    if not data_dir.exists():
        raise SettingsError(f"There are no data in {data_dir}: name the --home or --database-url.")
    engine = open_engine(server.url)
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        return cleanup.enter_context(server).url
    finally:
        engine.dispose()
    return server.url


def _end(message: str, code: int) -> None:
    click.echo(f"mltrace: {message}", err=True)
    sys.exit(code)
