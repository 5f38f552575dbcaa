"""The log: one schema for all that the process says, as lines of JSON or as text for people.

In: records of every logger, be it ours, uvicorn's, gRPC's or a library's; Python's warnings;
threads that ended by an error. Out: lines on standard error. A line of JSON has ``time`` (RFC 3339,
UTC), ``level``, ``logger`` and ``message``; ``request_id`` and ``trace_id`` if it was said while a
request was answered; what else the message is about, in fields of its own; ``exception`` with its
traceback.
"""

import logging
import re
import sys
import threading
import time
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

_PERIOD_S = 10.0
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# uvicorn says everything twice, once for terminals.
_LEFT_OUT = (*RESERVED_ATTRS, "color_message")
_REQUEST_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
# Source: https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """How lines are written; ``auto`` is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """The least grave lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request is being answered.

    Attributes:
        request_id: what the sender, or a proxy before us, calls the request; else made here.
        trace_id: of the trace that the request is part of, 32 hex digits; None if of none.
    """

    request_id: str
    trace_id: str | None


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def configure(log_format: LogFormat, level: LogLevel) -> bool:
    """Send all records to standard error; return whether as lines of JSON."""
    is_text = log_format is LogFormat.TEXT or (log_format is LogFormat.AUTO and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(_TextFormatter(_TEXT) if is_text else _make_json_formatter())
    handler.addFilter(_name_caller)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # It tells at each look at the tables what database it found, and probes look every few seconds.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    # Out of file descriptors, it says so two thousand times a second.
    logging.getLogger("asyncio").addFilter(_Once())
    logging.captureWarnings(capture=True)
    threading.excepthook = _tell_end
    return not is_text


def enter_request(request_id: str | None, traceparent: str | None) -> Caller:
    """Have what is logged from here on, in this task or thread, name the request.

    Args:
        request_id: header ``X-Request-ID``; one is made instead of what is no plain word of at most
            128 characters.
        traceparent: header of the W3C's Trace Context.
    """
    named = request_id is not None and _REQUEST_ID.fullmatch(request_id)
    trace = _TRACEPARENT.match(traceparent or "")
    caller = Caller(
        request_id if request_id and named else uuid.uuid4().hex, trace[1] if trace else None
    )
    _caller.set(caller)
    return caller


class _TextFormatter(logging.Formatter):
    """Shows what a sender wrote as it is spelt: it must not end a line or command a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        text = super().formatMessage(record)
        return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class _Once(logging.Filter):
    """Lets what is said again and again pass every ten seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._line, self._said_s = "", 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        now_s, line = time.monotonic(), record.getMessage().partition("\n")[0]
        if line == self._line and now_s - self._said_s < _PERIOD_S:
            return False
        self._line, self._said_s = line, now_s
        return True


def _make_json_formatter() -> logging.Formatter:
    return JsonFormatter(
        ["levelname", "name", "message"],
        defaults={"time": ""},  # keeps the first place for it
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        reserved_attrs=_LEFT_OUT,
    )


def _name_caller(record: logging.LogRecord) -> bool:
    caller = _caller.get()
    if caller is not None:
        record.request_id = caller.request_id
        if caller.trace_id is not None:
            record.trace_id = caller.trace_id
    return True


def _tell_end(end: threading.ExceptHookArgs) -> None:
    name = end.thread.name if end.thread else "unknown"
    error = end.exc_value or end.exc_type()
    _log.error("The thread %s ended by an error.", name, exc_info=error)
