"""What listens: sockets bound before anything is touched, web servers in threads of their own."""

import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from mltrace_exporter.errors import SettingsError
from mltrace_exporter.settings import Settings

DRAIN_TIMEOUT_S = 15
"""How long requests in flight may take when the server stops."""


class WebServer:
    """A web server in a thread of its own: slow pages must not hold up the OTLP door."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=DRAIN_TIMEOUT_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="web", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> Callable[[], object]:
        """Take no new requests; what is returned waits until those in flight are answered."""
        self._server.should_exit = True
        return lambda: self._thread.join(DRAIN_TIMEOUT_S + 1)


def bind(settings: Settings, option: str) -> socket.socket:
    """Return a socket that listens on the port that an option sets.

    Raises:
        SettingsError: the port cannot be used.
    """
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


def join_address(host: str, port: int) -> str:
    """Return ``host:port``, as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
