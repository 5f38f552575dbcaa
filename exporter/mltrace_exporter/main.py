"""The composition root: settings in, a running exporter out. Start and stop order live here.

Start: addresses are bound first, so that a taken port is told before anything is touched; then the
database; then the doors. Stop is the reverse: no new requests, those in flight are answered, what
was accepted is committed, the database goes last.
"""

import gc
import importlib.metadata
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.middleware.gzip import GZipMiddleware

from mltrace_exporter import api, panel
from mltrace_exporter.access import AccessLog
from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import SettingsError, Unavailable
from mltrace_exporter.listening import WebServer, bind, join_address
from mltrace_exporter.monitoring.exposition import answer
from mltrace_exporter.monitoring.health import Health
from mltrace_exporter.monitoring.links import RUNBOOKS_PATH, Links, read_runbook
from mltrace_exporter.monitoring.poller import Poller
from mltrace_exporter.reception import Reception, take_doors
from mltrace_exporter.settings import ANY_HOST, Settings
from mltrace_exporter.store.database import check_revision, explain, migrate, open_engine
from mltrace_exporter.store.replication import describe_lag, read_lag_s
from mltrace_exporter.tally import Tally
from mltrace_exporter.web import BodyLimit, Reading, ReadOnly, check_host

_NEW_OBJECTS = 300_000
_TURN_S = 0.0005
_OLDEST_POSTGRESQL = 14
_log = logging.getLogger(__name__)
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def create_app(  # noqa: PLR0913 - what differs between servers
    engine: sa.Engine,
    tally: Tally | None = None,
    *,
    allows_clean: bool = False,
    allowed_hosts: Sequence[str] = (ANY_HOST,),
    poller: Poller | None = None,
    trace_url: str | None = None,
    read_only: ReadOnly | None = None,
) -> FastAPI:
    """Return the web app on port 8080: HTTP API, panel, ``/metrics``, ``/healthz``, ``/readyz``.

    Args:
        engine: of the database.
        tally: what the doors of the same process count, for ``/metrics``.
        allows_clean: see `Settings`.
        allowed_hosts: see `Settings`.
        poller: reads the store for ``/metrics`` and alerts; one that reads it once if none is said.
        trace_url: see `Settings`.
        read_only: of a server that only reads, where to go with what it refuses.
    """
    app = FastAPI(
        title="mltrace",
        version=importlib.metadata.version("mltrace-otel"),
        openapi_url="/api/openapi.json",
        # Its page would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(check_host)],
    )
    # More effort takes three times as long, and makes what is a twelfth of a lineage a thirteenth.
    app.add_middleware(GZipMiddleware, compresslevel=1)
    app.add_middleware(BodyLimit)
    app.state.engine = engine
    app.state.allowed_hosts = allowed_hosts
    app.state.allows_clean = allows_clean
    app.state.poller = poller or Poller(engine)
    app.state.trace_url = trace_url
    app.state.read_only = read_only
    app.include_router(api.router)
    api.problems.install(app)
    _add_operations(app, tally)
    panel.install(app)
    return app


def _add_operations(app: FastAPI, tally: Tally | None) -> None:
    poller: Poller = app.state.poller
    own = CollectorRegistry()
    own.register(Health(poller))
    if tally:
        own.register(tally)
    ProcessCollector(registry=own)

    @app.get("/metrics", include_in_schema=False)
    def show_metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        body, content_type = answer(accept, poller.tell().exposition, own)
        return Response(body, headers={"content-type": content_type})

    @app.get(f"{RUNBOOKS_PATH}/{{alert}}", include_in_schema=False)
    def show_runbook(alert: str) -> PlainTextResponse:
        return PlainTextResponse(read_runbook(alert))

    @app.get("/healthz", include_in_schema=False)
    def show_health(connection: Reading) -> PlainTextResponse:
        connection.execute(sa.select(1))
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    def show_readiness(connection: Reading) -> PlainTextResponse:
        check_revision(connection)
        is_read_only = app.state.read_only is not None
        return PlainTextResponse(f"ok{_describe_access(connection, is_read_only=is_read_only)}\n")


def _describe_access(connection: sa.Connection, *, is_read_only: bool) -> str:
    """Return what readiness adds about the database.

    Raises:
        Unavailable: it is a replica, but is to be written to.
    """
    lag_s = read_lag_s(connection)
    if is_read_only:
        return ": reads only" + (
            "" if lag_s is None else f", from a replica; {describe_lag(lag_s)}"
        )
    if lag_s is not None:
        raise Unavailable(
            "The database is a replica now and takes no writes: name all hosts, with "
            "target_session_attrs=read-write, or start with --read-only."
        )
    return ""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running exporter is reached.

    Attributes:
        panel: URL of panel and HTTP API.
        otlp_http: URL of the HTTP door; None of one that only reads.
        otlp_grpc: ``host:port`` of the gRPC door; None of one that only reads.
        data: folder of the private PostgreSQL, or the URL of the given one without its password.
    """

    panel: str
    otlp_http: str | None
    otlp_grpc: str | None
    data: str


def run(settings: Settings, announce: Callable[[Addresses], None]) -> None:
    """Run the exporter until KeyboardInterrupt, which is raised again when all is stopped.

    One more KeyboardInterrupt ends the wait for requests in flight.

    Args:
        settings: how to start.
        announce: called once, when everything answers.

    Raises:
        SettingsError: a port is taken or the data directory cannot be used.
        Unavailable: the database does not start, cannot be reached, or has other tables than one
            that only reads can read.
    """
    _calm_collector()
    _share_interpreter()
    with ExitStack() as cleanup:
        panel_socket = cleanup.enter_context(bind(settings, "--port"))
        doors = None if settings.is_read_only else take_doors(settings, cleanup)
        engine, data, keep_running = _open_database(settings, cleanup)
        reception = Reception(doors, settings, engine, cleanup) if doors else None
        panel_url = f"http://{join_address(settings.host, panel_socket.getsockname()[1])}"
        app = _create_app(settings, engine, panel_url, reception, cleanup)
        panel = WebServer(AccessLog(app, logging.INFO, _PROBES), panel_socket)
        stopping = [panel.stop, *([reception.stop] if reception else [])]
        cleanup.callback(_drain, stopping)
        panel.start()
        if reception:
            reception.start()
        announce(
            Addresses(
                panel_url,
                doors.otlp_http if doors else None,
                doors.otlp_grpc if doors else None,
                data,
            )
        )
        keep_running()


def _create_app(
    settings: Settings,
    engine: sa.Engine,
    panel_url: str,
    reception: Reception | None,
    cleanup: ExitStack,
) -> FastAPI:
    poller = Poller(
        engine, settings.metrics_interval_s, settings.series_limit, _link(settings, panel_url)
    )
    cleanup.callback(poller.close)
    poller.start()
    return create_app(
        engine,
        reception.tally if reception else None,
        allows_clean=settings.allows_clean,
        allowed_hosts=settings.trusted_hosts,
        poller=poller,
        trace_url=settings.trace_url,
        read_only=ReadOnly(settings.writer_url) if settings.is_read_only else None,
    )


def _calm_collector() -> None:
    """Let Python look for cycles among its objects some four hundred times less often.

    An answer may be a hundred thousand objects, none in a cycle, and at the usual rate a third of
    its time went into looking. What is there at the start stays, so it is never looked at again.
    """
    gc.freeze()
    _, second, third = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, second, third)


def _share_interpreter() -> None:
    """Let threads take turns more often than the usual 5 ms.

    An answer asks PostgreSQL some eight times, and had to wait so long after each while another
    thread was at work, as when metrics are read.
    """
    sys.setswitchinterval(_TURN_S)


def _link(settings: Settings, own_url: str) -> Links:
    panel = (settings.panel_url or own_url).rstrip("/")
    return Links(panel, (settings.runbooks_url or f"{panel}{RUNBOOKS_PATH}").rstrip("/"))


def _drain(stopping: Sequence[Callable[[], Callable[[], object]]]) -> None:
    _log.info("Stopping: requests in flight are answered, what was accepted is stored.")
    for await_answers in [stop() for stop in stopping]:
        await_answers()


def _open_database(
    settings: Settings, cleanup: ExitStack
) -> tuple[sa.Engine, str, Callable[[], object]]:
    """Return an engine on a database with our tables, where its data are, what to do for ever."""
    keep_running: Callable[[], object] = threading.Event().wait
    if settings.database_url is None:
        postgres = cleanup.enter_context(EmbeddedPostgres(settings.home / "postgres"))
        url, data, keep_running = postgres.url, str(settings.home), postgres.keep_running
    else:
        url = settings.database_url
        data = sa.make_url(url).set(query={}, drivername="postgresql").render_as_string()
    engine = open_engine(url)
    cleanup.callback(engine.dispose)
    try:
        _check_database(engine, data, needs_writes=not settings.is_read_only)
        if settings.is_read_only:
            with engine.connect() as connection:
                check_revision(connection)
        else:
            migrate(engine)
    except sa.exc.DBAPIError as error:
        raise Unavailable(f"The database at {data} cannot be used: {explain(error)}") from None
    return engine, data, keep_running


def _check_database(engine: sa.Engine, data: str, *, needs_writes: bool) -> None:
    with engine.connect() as connection:
        version = int(connection.scalar(sa.text("SHOW server_version_num"))) // 10_000
        is_read_only = connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
    if version < _OLDEST_POSTGRESQL:
        raise SettingsError(f"PostgreSQL {_OLDEST_POSTGRESQL} or newer is needed at {data}.")
    if needs_writes and is_read_only:
        raise SettingsError(
            f"The database at {data} can only be read: it is a replica, or its "
            "default_transaction_read_only is on. To answer questions from it, start with "
            "--read-only. To receive runs, give the address of the one that takes writes; "
            "with all hosts in it, ?target_session_attrs=read-write finds that one."
        )
