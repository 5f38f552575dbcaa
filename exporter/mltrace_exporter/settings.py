"""What the exporter is told at its start: options come in, checked values go out."""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from mltrace_exporter.errors import SettingsError

DEFAULT_HOME = Path("~/.mltrace")
DEFAULT_REQUEST_LIMIT_BYTES = 64 * 1024 * 1024
DEFAULT_REQUEST_TIMEOUT_S = 60.0
DEFAULT_METRICS_INTERVAL_S = 15.0
DEFAULT_SERIES_LIMIT = 10_000

_PORT_LIMIT = 2**16
_SMALLEST_REQUEST_LIMIT_BYTES = 1024
# gRPC counts sizes in 32 bits.
_LARGEST_REQUEST_LIMIT_BYTES = 2**30
_LONGEST_REQUEST_TIMEOUT_S = 3600
_LONGEST_RETENTION_DAYS = 36_501
_SHORTEST_METRICS_INTERVAL_S, _LONGEST_METRICS_INTERVAL_S = 0.1, 300
_SMALLEST_SERIES_LIMIT = 100
# A network that swallows what is sent is noticed in half a minute, not in a quarter of an hour.
# Source: PostgreSQL documentation, Parameter Key Words.
_NETWORK_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "30000",
}
ANY_HOST = "*"
# Names that lead to this machine, whatever a name server on the Internet says of others.
LOCAL_HOSTS = ("localhost", "*.localhost", "host.docker.internal")
_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2")
_ADDRESS = re.compile(r"https?://[^\s\"'<>{}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long runs are kept; nothing said means for ever. A wrong value raises SettingsError.

    Attributes:
        days: runs that began longer ago may go.
        runs_per_component: all but so many of each component, newest first, may go.
    """

    days: float | None = None
    runs_per_component: int | None = None

    def __post_init__(self) -> None:
        if self.days is not None and not 0 < self.days < _LONGEST_RETENTION_DAYS:
            raise SettingsError("The days that runs are kept must be more than 0, at most 36500.")
        if self.runs_per_component is not None and self.runs_per_component < 1:
            raise SettingsError("Of each component at least 1 run must be kept.")

    @property
    def is_limited(self) -> bool:
        """True if any run may go."""
        return self.days is not None or self.runs_per_component is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to start. A wrong value raises SettingsError.

    Attributes:
        home: folder for the data of the private PostgreSQL.
        host: address to listen on.
        port: for the panel, the HTTP API and ``/metrics``; 0 takes any free one, here and below.
        otlp_http_port: for OTLP over HTTP.
        otlp_grpc_port: for OTLP over gRPC.
        database_url: PostgreSQL to use, see `read_database_url`; None for a private one.
        request_limit_bytes: size of the largest OTLP request.
        request_timeout_s: how long an OTLP request may take to come in.
        allows_clean: whether the HTTP API deletes everything when it is asked and confirmed.
        allowed_hosts: names under which browsers may ask panel and HTTP API, see `trusted_hosts`.
        retention: which runs are deleted while the server runs.
        metrics_interval_s: how often the store is read for ``/metrics`` and alerts.
        series_limit: how many series of ``/metrics`` may show what the store says.
        panel_url: where people reach the panel, for links in alerts; None for where it listens.
        runbooks_url: where people find the pages of alerts; None for the exporter itself.
        trace_url: where people find a run's trace in Tempo or Jaeger: an address in which
            ``{trace_id}`` and ``{span_id}`` stand for both; None for nowhere.
        is_read_only: whether questions are answered only, and the database is never written to.
        writer_url: where people reach an exporter that writes, if this one does not.
    """

    home: Path = DEFAULT_HOME
    host: str = "127.0.0.1"
    port: int = 8080
    otlp_http_port: int = 4318
    otlp_grpc_port: int = 4317
    database_url: str | None = None
    request_limit_bytes: int = DEFAULT_REQUEST_LIMIT_BYTES
    request_timeout_s: float = DEFAULT_REQUEST_TIMEOUT_S
    allows_clean: bool = False
    allowed_hosts: tuple[str, ...] = ()
    retention: Retention = field(default_factory=Retention)
    metrics_interval_s: float = DEFAULT_METRICS_INTERVAL_S
    series_limit: int = DEFAULT_SERIES_LIMIT
    panel_url: str | None = None
    runbooks_url: str | None = None
    trace_url: str | None = None
    is_read_only: bool = False
    writer_url: str | None = None

    def __post_init__(self) -> None:
        taken: dict[int, str] = {}
        for option, port in self.ports.items():
            if not 0 <= port < _PORT_LIMIT:
                raise SettingsError(f"{option} must be a port from 0 to 65535, not {port}.")
            if port and port in taken:
                raise SettingsError(f"{taken[port]} and {option} must differ: both are {port}.")
            taken[port] = option
        least, most = _SMALLEST_REQUEST_LIMIT_BYTES, _LARGEST_REQUEST_LIMIT_BYTES
        if not least <= self.request_limit_bytes <= most:
            raise SettingsError(f"--request-limit must be from {least} to {most} bytes.")
        if not 1 <= self.request_timeout_s <= _LONGEST_REQUEST_TIMEOUT_S:
            raise SettingsError("--request-timeout must be from 1 to 3600 seconds.")
        if self.is_read_only and (self.allows_clean or self.retention.is_limited):
            raise SettingsError(
                "With --read-only nothing is deleted: leave out --allow-clean and what is said of "
                "retention (--retention-days, --retention-runs)."
            )
        self._check_monitoring()

    def _check_monitoring(self) -> None:
        if (
            not _SHORTEST_METRICS_INTERVAL_S
            <= self.metrics_interval_s
            <= _LONGEST_METRICS_INTERVAL_S
        ):
            raise SettingsError("--metrics-interval must be from 0.1 to 300 seconds.")
        if self.series_limit < _SMALLEST_SERIES_LIMIT:
            raise SettingsError(f"--metrics-series must be {_SMALLEST_SERIES_LIMIT} or more.")
        addresses = {"panel": self.panel_url, "runbooks": self.runbooks_url}
        for option, url in {**addresses, "writer": self.writer_url}.items():
            if url is not None and not _ADDRESS.fullmatch(url):
                raise SettingsError(f"--{option}-url must begin with http:// or https://.")
        plain = (self.trace_url or "").replace("{trace_id}", "0").replace("{span_id}", "0")
        if self.trace_url is not None and (
            not _ADDRESS.fullmatch(plain) or "{trace_id}" not in self.trace_url
        ):
            raise SettingsError(
                "--trace-url must begin with http:// or https:// and hold {trace_id}, as in "
                "http://localhost:16686/trace/{trace_id}?uiFind={span_id}; "
                "write other braces as %7B and %7D."
            )

    @property
    def trusted_hosts(self) -> tuple[str, ...]:
        """The names under which panel and HTTP API answer; ``*.x`` is any below x, ``*`` any.

        A page of another site whose name is made to lead here (DNS rebinding) names itself, and
        gets no answer. IP addresses always do: no such page can have one as its name. If nothing
        is said, a server that only this machine reaches answers to this machine's names; one that
        others reach answers to all, since only they know what they call it.
        """
        if self.allowed_hosts:
            return (*self.allowed_hosts, *LOCAL_HOSTS)
        return LOCAL_HOSTS if _is_loopback(self.host) else (ANY_HOST,)

    @property
    def ports(self) -> dict[str, int]:
        """The ports by the options that set them."""
        return {
            "--port": self.port,
            "--otlp-http-port": self.otlp_http_port,
            "--otlp-grpc-port": self.otlp_grpc_port,
        }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_database_url(text: str, password_file: Path | None = None) -> str:
    """Return the address of a PostgreSQL as SQLAlchemy wants it.

    Args:
        text: for example ``postgresql://user:password@host:5432/database``.
        password_file: holds the password, which then is not in the address; a line end is no part
            of it.

    Raises:
        SettingsError: the text is no such address, or there is no password in the file.
    """
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _DRIVERS:
        raise SettingsError(
            "The database URL must look like postgresql://user:password@host:5432/database."
        )
    url = url.set(drivername="postgresql+psycopg2")
    if password_file:
        url = url.set(password=_read_password(url, password_file))
    url = url.set(query={**_NETWORK_DEFAULTS, **url.query})
    return url.render_as_string(hide_password=False)


def _read_password(url: sa.URL, file: Path) -> str:
    if url.password is not None:
        raise SettingsError(
            "The database URL has a password, and --database-password-file another: leave one out."
        )
    try:
        password = file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"The database password cannot be read from {file}: {reason}") from None
    if not password:
        raise SettingsError(f"The database password cannot be read from {file}: it is empty.")
    return password
