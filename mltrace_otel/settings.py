"""Where runs are sent and questions are asked. In: the environment. Out: frozen `Settings`.

Runs follow OpenTelemetry's OTEL_EXPORTER_OTLP_* variables, of which those with TRACES in their name
win. DB_SERVER or `set_address` name one machine for both runs and questions.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from mltrace_otel.errors import SettingsError

API_PORT = 8080
FILE_LIMIT = "MLTRACE_FILE_LIMIT"
PROFILES = "MLTRACE_PROFILES"
_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)
_DEFAULT_TIMEOUT_S = 10.0
_DEFAULT_SAVE_LIMIT = "10 GiB"
_DEFAULT_SPOOL_LIMIT = "1 GiB"
_DEFAULT_FILE_LIMIT = "256 MiB"
_CHOSEN_ADDRESS = "MLTRACE_SET_ADDRESS"
_chosen: dict[str, str] = {}


class Protocol(StrEnum):
    """How OTLP requests travel."""

    HTTP_PROTOBUF = "http/protobuf"
    GRPC = "grpc"


class Compression(StrEnum):
    """How OTLP requests are packed."""

    NONE = "none"
    GZIP = "gzip"


class ProfileScope(StrEnum):
    """Of which variables profiles are made."""

    OUTPUTS = "outputs"
    ALL = "all"
    NONE = "none"


_OTLP_PORTS = {Protocol.HTTP_PROTOBUF: 4318, Protocol.GRPC: 4317}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        endpoint: URL that OTLP requests go to; with gRPC its path means nothing.
        protocol: how they travel.
        headers: what goes with every request, e.g. an API key.
        timeout_s: how long one request may take, in seconds.
        compression: how requests are packed.
        certificate: authorities that may vouch for the server; None for the system's.
        client_key: our private key, for mutual TLS.
        client_certificate: our certificate, for mutual TLS.
        api_url: URL of the HTTP API.
        home: directory of what mltrace keeps on this machine.
    """

    endpoint: str
    protocol: Protocol
    headers: tuple[tuple[str, str], ...]
    timeout_s: float
    compression: Compression
    certificate: Path | None
    client_key: Path | None
    client_certificate: Path | None
    api_url: str
    home: Path


@dataclass(frozen=True, slots=True)
class SaveSettings:
    """What the environment says about keeping values.

    Attributes:
        folder: path or URL of the folder that they are kept in.
        limit_bytes: how large it may grow by what is saved automatically.
        loads_joblib: whether joblib files, which run code as they are loaded, may be loaded.
    """

    folder: str
    limit_bytes: int
    loads_joblib: bool


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """What the environment says about where finished runs wait.

    Attributes:
        folder: the folder that they wait in.
        limit_bytes: how large it may grow, with what was rejected.
        is_synced: whether each run waits until the disk has it, so that a power cut loses none.
    """

    folder: Path
    limit_bytes: int
    is_synced: bool


def set_address(address: str) -> None:
    """Send runs to, and ask questions of, the server at ``address``: a host, host:port or URL.

    A port is the HTTP API's; runs go to the same host's standard OTLP port.
    """
    _split(address, "set_address")
    _chosen[_CHOSEN_ADDRESS] = address


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return what the environment says now.

    Raises:
        SettingsError: a variable makes no sense.
    """
    variables = {**os.environ, **_chosen} if environment is None else environment
    protocol = _read(variables, "PROTOCOL", _choose(Protocol), Protocol.HTTP_PROTOBUF)
    return Settings(
        endpoint=_read_endpoint(variables, protocol),
        protocol=protocol,
        headers=_read(variables, "HEADERS", _parse_headers, ()),
        timeout_s=_read(variables, "TIMEOUT", _parse_timeout, _DEFAULT_TIMEOUT_S),
        compression=_read(variables, "COMPRESSION", _choose(Compression), Compression.NONE),
        certificate=_read(variables, "CERTIFICATE", Path, None),
        client_key=_read(variables, "CLIENT_KEY", Path, None),
        client_certificate=_read(variables, "CLIENT_CERTIFICATE", Path, None),
        api_url=_read_api_url(variables),
        home=_read_home(variables),
    )


def read_save_settings(environment: Mapping[str, str] | None = None) -> SaveSettings:
    """Return what the environment says now about keeping values.

    Raises:
        SettingsError: a variable makes no sense.
    """
    variables = os.environ if environment is None else environment
    folder = variables.get("MLTRACE_SAVE_DIR") or variables.get("SAVE_DIR")
    return SaveSettings(
        folder=folder or str(_read_home(variables) / "artifacts"),
        limit_bytes=_parse_size(variables, "MLTRACE_SAVE_LIMIT", _DEFAULT_SAVE_LIMIT),
        loads_joblib=_parse_switch(variables, "MLTRACE_LOAD_JOBLIB"),
    )


def read_spool_settings(environment: Mapping[str, str] | None = None) -> SpoolSettings:
    """Return what the environment says now about where finished runs wait.

    Raises:
        SettingsError: a variable makes no sense.
    """
    variables = os.environ if environment is None else environment
    return SpoolSettings(
        folder=_read_home(variables) / "spool",
        limit_bytes=_parse_size(variables, "MLTRACE_SPOOL_LIMIT", _DEFAULT_SPOOL_LIMIT),
        is_synced=_parse_switch(variables, "MLTRACE_SPOOL_SYNC", default="false"),
    )


def read_file_limit(environment: Mapping[str, str] | None = None) -> int:
    """Return the size in bytes above which files are identified by samples of their content.

    Raises:
        SettingsError: the variable makes no sense.
    """
    variables = os.environ if environment is None else environment
    return _parse_size(variables, FILE_LIMIT, _DEFAULT_FILE_LIMIT)


def read_profile_scope(environment: Mapping[str, str] | None = None) -> ProfileScope:
    """Return of which variables profiles are made where components do not say.

    Raises:
        SettingsError: the variable makes no sense.
    """
    variables = os.environ if environment is None else environment
    text = variables.get(PROFILES, "").strip().lower() or ProfileScope.OUTPUTS
    try:
        return ProfileScope(text)
    except ValueError:
        choices = ", ".join(ProfileScope)
        raise SettingsError(f"{PROFILES}={text!r} makes no sense: choose {choices}.") from None


def _read_home(variables: Mapping[str, str]) -> Path:
    try:
        return Path(variables.get("MLTRACE_HOME") or "~/.mltrace").expanduser()
    except RuntimeError:  # a user without a home: what needs one fails, the rest goes on
        return Path(os.devnull) / "no-home-set-MLTRACE_HOME"


def _parse_size(variables: Mapping[str, str], name: str, default: str) -> int:
    text = variables.get(name, "").strip() or default
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?", text, re.IGNORECASE)
    if match is None:
        raise SettingsError(f"{name}={text!r} is no size: write a number of bytes, or 10 GiB.")
    number, prefix, is_binary = match.groups()
    power = " kmgt".index((prefix or " ").lower())
    return int(float(number) * (1024 if is_binary else 1000) ** power)


def _parse_switch(variables: Mapping[str, str], name: str, default: str = "true") -> bool:
    text = variables.get(name, "").strip().lower() or default
    if text not in {"true", "false"}:
        raise SettingsError(f"{name}={text!r} makes no sense: choose true or false.")
    return text == "true"


def _read(variables: Mapping[str, str], what: str, parse: Callable[[str], _T], default: _T) -> _T:
    for name in (f"OTEL_EXPORTER_OTLP_TRACES_{what}", f"OTEL_EXPORTER_OTLP_{what}"):
        text = variables.get(name, "").strip()
        if text:
            try:
                return parse(text)
            except ValueError as error:
                raise SettingsError(f"{name}={text!r} makes no sense: {error}.") from error
    return default


def _read_endpoint(variables: Mapping[str, str], protocol: Protocol) -> str:
    chosen = variables.get(_CHOSEN_ADDRESS)
    if chosen:
        return _otlp_endpoint(chosen, "set_address", protocol)
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        text = variables.get(name, "").strip()
        if not text:
            continue
        if "://" not in text:
            if protocol is not Protocol.GRPC:
                raise SettingsError(f"{name}={text!r} is no URL: write http://{text}.")
            insecure = _read(variables, "INSECURE", str.lower, "false") == "true"
            text = f"{'http' if insecure else 'https'}://{text}"
        verbatim = "TRACES" in name or protocol is Protocol.GRPC
        return text if verbatim else f"{text.rstrip('/')}/v1/traces"
    return _otlp_endpoint(variables.get("DB_SERVER") or "localhost", "DB_SERVER", protocol)


def _otlp_endpoint(address: str, name: str, protocol: Protocol) -> str:
    scheme, host, _ = _split(address, name)
    path = "/v1/traces" if protocol is Protocol.HTTP_PROTOBUF else ""
    return f"{scheme}://{host}:{_OTLP_PORTS[protocol]}{path}"


def _read_api_url(variables: Mapping[str, str]) -> str:
    for name in (_CHOSEN_ADDRESS, "MLTRACE_ADDRESS", "DB_SERVER"):
        address = variables.get(name, "").strip()
        if "://" in address:
            _split(address, name)
            return address.rstrip("/")
        if address:
            scheme, host, port = _split(address, name)
            return f"{scheme}://{host}:{port or API_PORT}"
    return f"http://127.0.0.1:{API_PORT}"


def _split(address: str, name: str) -> tuple[str, str, int | None]:
    """Take a host, host:port or URL apart; an IPv6 host keeps its brackets."""
    text = address.strip()
    if "://" not in text:
        bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
        text = f"http://[{text}]" if bare_ipv6 else f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in {"http", "https"}:
        raise SettingsError(f"{name}={address!r} is no host, host:port or http(s) URL.")
    return parts.scheme, f"[{host}]" if ":" in host else host, port


def _choose(kind: type[_Choice]) -> Callable[[str], _Choice]:
    def parse(text: str) -> _Choice:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"choose {' or '.join(kind)}") from None

    return parse


def _parse_headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [item.partition("=") for item in text.split(",") if item.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("write key=value,key2=value2, with values percent-encoded")
    return tuple((unquote(key).strip().lower(), unquote(value).strip()) for key, _, value in pairs)


def _parse_timeout(text: str) -> float:
    # OpenTelemetry specifies milliseconds, but its Python SDK reads the same variable as seconds.
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError("it is a number of seconds above 0")
    return seconds
