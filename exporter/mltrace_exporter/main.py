"""The composition root: settings in, a running exporter out. Start and stop order live here.

Start: addresses are bound first, so that a taken port is told before anything is touched; then the
database; then the doors. Stop is the reverse: no new requests, those in flight are answered, what
was accepted is committed, the database goes last.
"""

import gc
import importlib.metadata
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from mltrace_exporter import api, panel
from mltrace_exporter.access import AccessLog
from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import SettingsError, Unavailable
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.monitoring.exposition import answer
from mltrace_exporter.monitoring.health import Health
from mltrace_exporter.monitoring.links import RUNBOOKS_PATH, Links, read_runbook
from mltrace_exporter.monitoring.poller import Poller
from mltrace_exporter.pruning import Pruner
from mltrace_exporter.receive import GrpcDoor, create_http_door
from mltrace_exporter.settings import ANY_HOST, Settings
from mltrace_exporter.store.database import check_revision, migrate, open_engine
from mltrace_exporter.tally import Tally
from mltrace_exporter.web import Reading, check_host

_DRAIN_TIMEOUT_S = 15
_NEW_OBJECTS = 300_000
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
) -> FastAPI:
    """Return the web app on port 8080: HTTP API, panel, ``/metrics``, ``/healthz``, ``/readyz``.

    Args:
        engine: of the database.
        tally: what the doors of the same process count, for ``/metrics``.
        allows_clean: see `Settings`.
        allowed_hosts: see `Settings`.
        poller: reads the store for ``/metrics`` and alerts; one that reads it once if none is said.
        trace_url: see `Settings`.
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
    app.state.engine = engine
    app.state.allowed_hosts = allowed_hosts
    app.state.allows_clean = allows_clean
    app.state.poller = poller or Poller(engine)
    app.state.trace_url = trace_url
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
        return PlainTextResponse("ok\n")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running exporter is reached.

    Attributes:
        panel: URL of panel and HTTP API.
        otlp_http: URL of the HTTP door.
        otlp_grpc: ``host:port`` of the gRPC door.
        data: folder of the private PostgreSQL, or the URL of the given one without its password.
    """

    panel: str
    otlp_http: str
    otlp_grpc: str
    data: str


def run(settings: Settings, announce: Callable[[Addresses], None]) -> None:
    """Run the exporter until KeyboardInterrupt, which is raised again when all is stopped.

    One more KeyboardInterrupt ends the wait for requests in flight.

    Args:
        settings: how to start.
        announce: called once, when everything answers.

    Raises:
        SettingsError: a port is taken or the data directory cannot be used.
        Unavailable: the database does not start or cannot be reached.
    """
    _calm_collector()
    with ExitStack() as cleanup:
        panel_socket = cleanup.enter_context(_bind(settings, "--port"))
        otlp_socket = cleanup.enter_context(_bind(settings, "--otlp-http-port"))
        # Tried and given back: gRPC itself does not say why it cannot listen.
        _bind(settings, "--otlp-grpc-port").close()
        grpc_door = GrpcDoor(
            _join(settings.host, settings.otlp_grpc_port),
            settings.request_limit_bytes,
            settings.request_timeout_s,
        )
        cleanup.callback(grpc_door.stop, 0)
        engine, data, keep_running = _open_database(settings, cleanup)
        tally = Tally(engine)
        ingest = Ingest(engine, tally)
        cleanup.callback(ingest.close)
        cleanup.callback(Pruner(engine, settings.retention).close)
        http_door = create_http_door(
            ingest, settings.request_limit_bytes, settings.request_timeout_s
        )
        panel_url = f"http://{_join(settings.host, panel_socket.getsockname()[1])}"
        poller = Poller(
            engine,
            settings.metrics_interval_s,
            settings.series_limit,
            _link(settings, panel_url),
        )
        cleanup.callback(poller.close)
        poller.start()
        app = create_app(
            engine,
            tally,
            allows_clean=settings.allows_clean,
            allowed_hosts=settings.trusted_hosts,
            poller=poller,
            trace_url=settings.trace_url,
        )
        servers = [
            _Server(AccessLog(app, logging.INFO, _PROBES), panel_socket),
            _Server(AccessLog(http_door, logging.DEBUG), otlp_socket),
        ]
        cleanup.callback(_drain, servers, grpc_door)
        for server in servers:
            server.start()
        grpc_door.serve(ingest)
        announce(
            Addresses(
                panel=panel_url,
                otlp_http=f"http://{_join(settings.host, otlp_socket.getsockname()[1])}",
                otlp_grpc=_join(settings.host, grpc_door.port),
                data=data,
            )
        )
        keep_running()


def _calm_collector() -> None:
    """Let Python look for cycles among its objects some four hundred times less often.

    An answer may be a hundred thousand objects, none in a cycle, and at the usual rate a third of
    its time went into looking. What is there at the start stays, so it is never looked at again.
    """
    gc.freeze()
    _, second, third = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, second, third)


def _link(settings: Settings, own_url: str) -> Links:
    panel = (settings.panel_url or own_url).rstrip("/")
    return Links(panel, (settings.runbooks_url or f"{panel}{RUNBOOKS_PATH}").rstrip("/"))


class _Server:
    """A web server in a thread of its own: slow pages must not hold up the OTLP door."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_TIMEOUT_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="web", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._server.should_exit = True

    def await_stop(self) -> None:
        self._thread.join(_DRAIN_TIMEOUT_S + 1)


def _drain(servers: Sequence[_Server], grpc_door: GrpcDoor) -> None:
    _log.info("Stopping: requests in flight are answered, what was accepted is stored.")
    answered = grpc_door.stop(_DRAIN_TIMEOUT_S)
    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.await_stop()
    answered.wait(_DRAIN_TIMEOUT_S)


def _bind(settings: Settings, option: str) -> socket.socket:
    port = settings.ports[option]
    try:
        [(family, *_), *_] = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)
        listener = socket.create_server((settings.host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"Port {port} of {settings.host} cannot be used ({error.strerror}): "
            f"stop the program that has it, or choose another port with {option}."
        ) from None
    # Connections inherit it. asyncio would set it, but does not take this for a TCP socket; without
    # it, the second part of an answer waits 40 ms for the client to confirm the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _open_database(
    settings: Settings, cleanup: ExitStack
) -> tuple[sa.Engine, str, Callable[[], object]]:
    """Return an engine on the migrated database, where its data are, and what to do for ever."""
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
        _check_database(engine, data)
        migrate(engine)
    except sa.exc.DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise Unavailable(f"The database at {data} cannot be used: {reason}") from None
    return engine, data, keep_running


def _check_database(engine: sa.Engine, data: str) -> None:
    with engine.connect() as connection:
        version = int(connection.scalar(sa.text("SHOW server_version_num"))) // 10_000
        is_read_only = connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
    if version < _OLDEST_POSTGRESQL:
        raise SettingsError(f"PostgreSQL {_OLDEST_POSTGRESQL} or newer is needed at {data}.")
    if is_read_only:
        raise SettingsError(
            f"The database at {data} can only be read: it is a replica, or its "
            "default_transaction_read_only is on. Give the address of the one that takes writes; "
            "with all hosts in it, ?target_session_attrs=read-write finds that one."
        )
