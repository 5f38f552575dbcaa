"""The server's commands, ``mltrace up`` and ``mltrace serve``: options come in, a server runs."""

import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click

from mltrace_exporter.collect import collect
from mltrace_exporter.errors import ExporterError
from mltrace_exporter.logs import LogFormat, LogLevel, configure
from mltrace_exporter.main import Addresses, run
from mltrace_exporter.settings import (
    DEFAULT_HOME,
    DEFAULT_METRICS_INTERVAL_S,
    DEFAULT_REQUEST_LIMIT_BYTES,
    DEFAULT_REQUEST_TIMEOUT_S,
    DEFAULT_SERIES_LIMIT,
    Retention,
    Settings,
    read_database_url,
)

_STOP_LIMIT_S = 90.0
_CANNOT_START = 2
_OPEN_FILES = 65_536
_log = logging.getLogger(__name__)


_DOORS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Listen here."),
    click.option("--port", default=8080, show_default=True, help="Panel, HTTP API, /metrics."),
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
        "--allowed-hosts",
        default="",
        envvar="MLTRACE_ALLOWED_HOSTS",
        show_envvar=True,
        help="Names under which browsers may ask, with commas between; *.x is any below x,"
        " * any.  [default: localhost if only this machine is listened to, else any]",
    ),
)
_METRICS = (
    click.option(
        "--metrics-interval",
        "metrics_interval_s",
        default=DEFAULT_METRICS_INTERVAL_S,
        show_default=True,
        help="Seconds from one reading of the database for /metrics to the next.",
    ),
    click.option(
        "--metrics-series",
        "series_limit",
        default=DEFAULT_SERIES_LIMIT,
        envvar="MLTRACE_METRICS_SERIES",
        show_default=True,
        show_envvar=True,
        help="Series that may show what the database says; the rest is folded together.",
    ),
)
_ADDRESSES = (
    click.option(
        "--panel-url",
        envvar="MLTRACE_PANEL_URL",
        show_envvar=True,
        help="Where people reach the panel, for links in alerts.  [default: its own]",
    ),
    click.option(
        "--runbooks-url",
        envvar="MLTRACE_RUNBOOKS_URL",
        show_envvar=True,
        help="Where people find the pages of alerts.  [default: the panel's /runbooks]",
    ),
    click.option(
        "--trace-url",
        envvar="MLTRACE_TRACE_URL",
        show_envvar=True,
        help="Where Tempo or Jaeger show a run, with {trace_id} and {span_id} in it.",
    ),
)
_RETENTION = (
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
_READING = (
    click.option(
        "--read-only",
        "is_read_only",
        is_flag=True,
        envvar="MLTRACE_READ_ONLY",
        show_envvar=True,
        help="Only answer questions: on a replica, or with a role that may only read. OTLP is"
        " not received.",
    ),
    click.option(
        "--writer-url",
        envvar="MLTRACE_WRITER_URL",
        show_envvar=True,
        help="With --read-only: where people reach a server that writes.",
    ),
)
_SERVER_OPTIONS = (*_DOORS, *_METRICS, *_ADDRESSES, *_RETENTION)


def _server_options(command: Callable[..., None]) -> Callable[..., None]:
    return _add(_SERVER_OPTIONS, command)


def _reading_options(command: Callable[..., None]) -> Callable[..., None]:
    return _add(_READING, command)


def _add(
    options: Sequence[Callable[[Callable[..., None]], Callable[..., None]]],
    command: Callable[..., None],
) -> Callable[..., None]:
    for option in reversed(options):
        command = option(command)
    return command


def _log_options(
    log_format: LogFormat, level: LogLevel
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def add(command: Callable[..., None]) -> Callable[..., None]:
        command = click.option(
            "--log-level",
            type=click.Choice([each.value for each in LogLevel]),
            default=level.value,
            envvar="MLTRACE_LOG_LEVEL",
            show_default=True,
            show_envvar=True,
            help="The least grave lines of the log.",
        )(command)
        return click.option(
            "--log-format",
            type=click.Choice([each.value for each in LogFormat]),
            default=log_format.value,
            envvar="MLTRACE_LOG_FORMAT",
            show_default=True,
            show_envvar=True,
            help="Lines of JSON, or text for people; auto: text on a terminal.",
        )(command)

    return add


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
@_log_options(LogFormat.TEXT, LogLevel.WARNING)
def up(
    home: Path,
    log_format: str,
    log_level: str,
    **options: Any,  # noqa: ANN401 - named and typed by their options
) -> None:
    """Start everything on this machine, with a private PostgreSQL.

    Runs until Ctrl-C. The port 0 takes any free one. What programs that have ended left in the
    home's spool is recorded, too.
    """
    folder = home.expanduser().absolute()
    voice = _Voice(configure(LogFormat(log_format), LogLevel(log_level)))

    def start(addresses: Addresses) -> None:
        voice.announce(addresses)
        collect(folder, addresses.otlp_http or "")

    _run(lambda: _make_settings(home=folder, **options), start, voice)


@click.command()
@click.option(
    "--database-url",
    envvar="MLTRACE_DATABASE_URL",
    required=True,
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
@_reading_options
@_server_options
@_clean_option(allows=False)
@_log_options(LogFormat.AUTO, LogLevel.INFO)
def serve(
    database_url: str,
    database_password_file: Path | None,
    log_format: str,
    log_level: str,
    **options: Any,  # noqa: ANN401 - as above
) -> None:
    """Start the server on a PostgreSQL of yours.

    Tables are made or brought up to date first, but with --read-only. Several servers can share
    one database.
    """
    voice = _Voice(configure(LogFormat(log_format), LogLevel(log_level)))
    _run(
        lambda: _make_settings(
            database_url=read_database_url(database_url, database_password_file), **options
        ),
        voice.announce,
        voice,
    )


def _make_settings(
    *,
    retention_days: float | None,
    retention_runs: int | None,
    allowed_hosts: str,
    **options: Any,  # noqa: ANN401 - named and typed by their options
) -> Settings:
    retention = Retention(days=retention_days, runs_per_component=retention_runs)
    names = (name.strip().lower() for name in allowed_hosts.split(","))
    return Settings(retention=retention, allowed_hosts=tuple(filter(None, names)), **options)


@dataclass(frozen=True, slots=True)
class _Voice:
    """How the first and the last words are said: as lines of the log, or to a person."""

    is_json: bool

    def announce(self, addresses: Addresses) -> None:
        doors = f"OTLP/HTTP {addresses.otlp_http}  OTLP/gRPC {addresses.otlp_grpc}"
        line = (
            f"mltrace is ready: panel {addresses.panel}  "
            f"{doors if addresses.otlp_http else 'reads only'}  data {addresses.data}"
        )
        if self.is_json:
            _log.info(line)
        else:
            click.echo(line)
            sys.stdout.flush()

    def give_up(self, error: ExporterError) -> None:
        if self.is_json:
            _log.critical(str(error))
        else:
            click.echo(f"mltrace: {error}", err=True)


def _run(
    make_settings: Callable[[], Settings], on_ready: Callable[[Addresses], None], voice: _Voice
) -> None:
    _allow_open_files()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        run(make_settings(), on_ready)
    except KeyboardInterrupt:
        _log.info("mltrace has stopped.")
    except ExporterError as error:
        voice.give_up(error)
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
