"""Where runs come in: both doors for OTLP, the ingest behind them, and the end of old runs.

An exporter that only reads has none.
"""

import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.access import AccessLog
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.listening import DRAIN_TIMEOUT_S, WebServer, bind, join_address
from mltrace_exporter.pruning import Pruner
from mltrace_exporter.receive import GrpcDoor, create_http_door
from mltrace_exporter.settings import Settings
from mltrace_exporter.tally import Tally


@dataclass(frozen=True, slots=True)
class Doors:
    """Doors that have their ports, and do not answer yet.

    Attributes:
        http: socket of OTLP over HTTP.
        grpc: the door of OTLP over gRPC.
        otlp_http: URL of the first.
        otlp_grpc: ``host:port`` of the second.
    """

    http: socket.socket
    grpc: GrpcDoor
    otlp_http: str
    otlp_grpc: str


def take_doors(settings: Settings, cleanup: ExitStack) -> Doors:
    """Return doors; ``cleanup`` gets what gives their ports back.

    Raises:
        SettingsError: a port is taken.
    """
    http = cleanup.enter_context(bind(settings, "--otlp-http-port"))
    # Tried and given back: gRPC itself does not say why it cannot listen.
    bind(settings, "--otlp-grpc-port").close()
    grpc = GrpcDoor(
        join_address(settings.host, settings.otlp_grpc_port),
        settings.request_limit_bytes,
        settings.request_timeout_s,
    )
    cleanup.callback(grpc.stop, 0)
    http_address = join_address(settings.host, http.getsockname()[1])
    return Doors(http, grpc, f"http://{http_address}", join_address(settings.host, grpc.port))


class Reception:
    """The database behind the doors; they answer from `start` on.

    Attributes:
        tally: what they count.
    """

    def __init__(
        self, doors: Doors, settings: Settings, engine: sa.Engine, cleanup: ExitStack
    ) -> None:
        """Take the doors; ``cleanup`` gets what stores all that was accepted."""
        self.tally = Tally(engine)
        self._ingest = Ingest(engine, self.tally)
        cleanup.callback(self._ingest.close)
        cleanup.callback(Pruner(engine, settings.retention).close)
        self._grpc = doors.grpc
        app = create_http_door(
            self._ingest, settings.request_limit_bytes, settings.request_timeout_s
        )
        self._http = WebServer(AccessLog(app, logging.DEBUG), doors.http)

    def start(self) -> None:
        """Begin to take requests."""
        self._http.start()
        self._grpc.serve(self._ingest)

    def stop(self) -> Callable[[], object]:
        """Take no new requests; what is returned waits until those in flight are answered."""
        answered = self._grpc.stop(DRAIN_TIMEOUT_S)
        await_http = self._http.stop()
        return lambda: (await_http(), answered.wait(DRAIN_TIMEOUT_S))
