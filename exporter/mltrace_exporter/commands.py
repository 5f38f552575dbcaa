"""The server's commands, ``mltrace up`` and ``mltrace serve``: options come in, a server runs."""

import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from mltrace_exporter.collect import collect
from mltrace_exporter.errors import ExporterError
from mltrace_exporter.main import Addresses, run
from mltrace_exporter.settings import (
    DEFAULT_HOME,
    DEFAULT_REQUEST_LIMIT_BYTES,
    DEFAULT_REQUEST_TIMEOUT_S,
    Retention,
    Settings,
    read_database_url,
)

_STOP_LIMIT_S = 90.0
_CANNOT_START = 2
_OPEN_FILES = 65_536


def _server_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option("--host", default="127.0.0.1", show_default=True, help="Listen here."),
            click.option(
                "--port", default=8080, show_default=True, help="Panel, HTTP API, /metrics."
            ),
            click.option("--otlp-http-port", default=4318, show_default=True, help="OTLP/HTTP."),
            click.option("--otlp-grpc-port", default=4317, show_default=True, help="OTLP/gRPC."),
            click.option(
                "--request-limit",
                "request_limit_bytes",
                default=DEFAULT_REQUEST_LIMIT_BYTES,
                show_default=True,
                help="Largest OTLP request in bytes.",
            ),
            click.option(
                "--request-timeout",
                "request_timeout_s",
                default=DEFAULT_REQUEST_TIMEOUT_S,
                show_default=True,
                help="Seconds that an OTLP request may take to come in.",
            ),
            click.option(
                "--retention-days",
                type=float,
                envvar="MLTRACE_RETENTION_DAYS",
                show_envvar=True,
                help="Delete runs that began longer ago.",
            ),
            click.option(
                "--retention-runs",
                type=int,
                envvar="MLTRACE_RETENTION_RUNS",
                show_envvar=True,
                help="Delete all but so many runs of each component.",
            ),
        )
    ):
        command = option(command)
    return command


def _clean_option(*, allows: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        "--allow-clean/--keep-data",
        "allows_clean",
        default=allows,
        show_default=True,
        help="Whether clean_db() may delete everything.",
    )


@click.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="MLTRACE_HOME",
    default=DEFAULT_HOME,
    show_default=True,
    show_envvar=True,
    help="Folder for the data.",
)
@_server_options
@_clean_option(allows=True)
def up(home: Path, **options: Any) -> None:  # noqa: ANN401 - named and typed by their options
    """Start everything on this machine, with a private PostgreSQL.

    Runs until Ctrl-C. The port 0 takes any free one. What programs that have ended left in the
    home's spool is recorded, too.
    """
    folder = home.expanduser().absolute()

    def start(addresses: Addresses) -> None:
        _announce(addresses)
        collect(folder, addresses.otlp_http)

    _run(lambda: _make_settings(home=folder, **options), start)


@click.command()
@click.option(
    "--database-url",
    envvar="MLTRACE_DATABASE_URL",
    required=True,
    show_envvar=True,
    help="PostgreSQL 14 or newer: postgresql://user:password@host:5432/database.",
)
@_server_options
@_clean_option(allows=False)
def serve(database_url: str, **options: Any) -> None:  # noqa: ANN401 - as above
    """Start the server on a PostgreSQL of yours.

    Tables are made or brought up to date first. Several servers can share one database.
    """
    _run(lambda: _make_settings(database_url=read_database_url(database_url), **options), _announce)


def _make_settings(
    *,
    retention_days: float | None,
    retention_runs: int | None,
    **options: Any,  # noqa: ANN401 - named and typed by their options
) -> Settings:
    retention = Retention(days=retention_days, runs_per_component=retention_runs)
    return Settings(retention=retention, **options)


def _run(make_settings: Callable[[], Settings], on_ready: Callable[[Addresses], None]) -> None:
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    _allow_open_files()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        run(make_settings(), on_ready)
    except KeyboardInterrupt:
        return
    except ExporterError as error:
        click.echo(f"mltrace: {error}", err=True)
        sys.exit(_CANNOT_START)


def _allow_open_files() -> None:
    """Let there be as many connections as we may have; shells allow 1024 by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Begin to stop. A database that hangs must not keep us: what was answered is stored."""
    watchdog = threading.Timer(_STOP_LIMIT_S, os._exit, [1])
    watchdog.daemon = True
    watchdog.start()
    raise KeyboardInterrupt


def _announce(addresses: Addresses) -> None:
    click.echo(
        f"mltrace is ready: panel {addresses.panel}  OTLP/HTTP {addresses.otlp_http}  "
        f"OTLP/gRPC {addresses.otlp_grpc}  data {addresses.data}"
    )
    sys.stdout.flush()
