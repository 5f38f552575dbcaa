"""The commands ``mltrace grafana ...``. In: options. Out: lines that say what was done."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import click

from mltrace_dashboards.choices import DEFAULT_PANEL_URL
from mltrace_dashboards.connection import Connection
from mltrace_dashboards.errors import GrafanaError, GrafanaUnreachable
from mltrace_dashboards.files import write_files
from mltrace_dashboards.marks import annotate as set_marks
from mltrace_dashboards.marks import find_marks
from mltrace_dashboards.push import FOLDER, Fate, Outcome, push_dashboards
from mltrace_dashboards.sources import (
    Source,
    describe_postgres,
    describe_prometheus,
    push_sources,
)
from mltrace_otel.questions.api_client import ApiClient
from mltrace_otel.settings import read_settings

_PASSWORD = "MLTRACE_PG_RO_PASSWORD"  # noqa: S105 - the name of the variable that has it
_LEFT, _UNREACHABLE, _WRONG_USE = 1, 3, 2
_Command = TypeVar("_Command", bound=Callable[..., object])


@click.group()
def grafana() -> None:
    """Bring dashboards and marks into a Grafana, or write the files that it reads."""


def _with_grafana(command: _Command) -> _Command:
    """Give a command the options of the Grafana that it asks."""
    url = click.option(
        "--url",
        envvar="GRAFANA_URL",
        required=True,
        show_envvar=True,
        help="Address of Grafana, with its path if it has one.",
    )
    token = click.option(
        "--token",
        envvar="GRAFANA_TOKEN",
        required=True,
        show_envvar=True,
        help="Token of a service account. A variable keeps it out of the list of processes.",
    )
    return url(token(command))


_panel_url = click.option(
    "--panel-url",
    envvar="MLTRACE_PANEL_URL",
    default=DEFAULT_PANEL_URL,
    show_default=True,
    show_envvar=True,
    help="Where people reach mltrace's web panel: links to runs begin with it.",
)


@grafana.command()
@_with_grafana
@_panel_url
@click.option("--folder", default=FOLDER, show_default=True, help="Uid of the folder.")
@click.option("--prometheus", help="Also make the data source of this Prometheus: a URL.")
@click.option(
    "--postgres",
    help="Also make the data source of this database: postgresql://user@host:5432/database, with"
    f" the password in {_PASSWORD}.",
)
@click.option("--force", is_flag=True, help="Overwrite dashboards that somebody edited.")
def push(  # noqa: PLR0913 - each is an option
    *,
    url: str,
    token: str,
    panel_url: str,
    folder: str,
    prometheus: str | None,
    postgres: str | None,
    force: bool,
) -> None:
    """Save the dashboards in a Grafana that runs. Doing it again changes nothing.

    Dashboards that a file provisions, or that somebody edited, are left alone; the exit code is
    then 1.
    """
    with _end_with_sentence():
        sources: list[Source] = []
        if prometheus:
            sources.append(describe_prometheus(prometheus, panel_url))
        if postgres:
            sources.append(describe_postgres(postgres, os.environ.get(_PASSWORD, "")))
        connection = Connection(url, token)
        click.echo(f"Grafana {connection.version} at {connection.url}")
        outcomes = [
            *_tell(push_sources(connection, sources)),
            *_tell(push_dashboards(connection, panel_url, folder=folder, force=force)),
        ]
        if any(outcome.fate is Fate.LEFT for outcome in outcomes):
            sys.exit(_LEFT)


@grafana.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@_panel_url
def write(directory: Path, *, panel_url: str) -> None:
    """Write what a Grafana reads at its start: json/ and provisioning/ in DIRECTORY."""
    with _end_with_sentence():
        try:
            for path in write_files(directory, panel_url):
                click.echo(path)
        except OSError as error:
            raise GrafanaError(f"{directory} cannot be written to: {error.strerror}.") from error


@grafana.command()
@_with_grafana
@_panel_url
@click.option("--address", help="mltrace server to ask.  [default: $MLTRACE_ADDRESS]")
@click.option(
    "--hours", type=click.FloatRange(min=0), default=24, show_default=True, help="How far back."
)
def annotate(*, url: str, token: str, panel_url: str, address: str | None, hours: float) -> None:
    """Mark failed runs and tests, new commits and flags on the dashboards of others.

    Each is set once, as an annotation with the tag `mltrace`, a tag of its kind and one of its
    component; a dashboard shows those whose tags it asks for. Run it now and then. mltrace's own
    dashboards need it not.
    """
    environment = None if address is None else {"MLTRACE_ADDRESS": address}
    with _end_with_sentence(), ApiClient(read_settings(environment).api_url) as api:
        marks = find_marks(api, datetime.now(UTC) - timedelta(hours=hours), panel_url)
        new = list(set_marks(Connection(url, token), marks))
        click.echo(f"{len(new)} annotations were set, {len(marks) - len(new)} were there before.")


def _tell(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Print outcomes as they come, and return them."""
    told = []
    for outcome in outcomes:
        click.echo(str(outcome))
        told.append(outcome)
    return told


@contextmanager
def _end_with_sentence() -> Iterator[None]:
    """End the program with a sentence when Grafana does not do as it should."""
    try:
        yield
    except GrafanaError as error:
        click.echo(f"mltrace: {error}", err=True)
        unreachable = isinstance(error, GrafanaUnreachable)
        sys.exit(_UNREACHABLE if unreachable else _WRONG_USE)
