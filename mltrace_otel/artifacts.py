"""Values kept in files. In: values, and where to keep them. Out: addresses, and the values again."""

import os

from opentelemetry.trace import SpanContext

from mltrace_otel.digest import Digest


def save(obj: object, path: str | os.PathLike[str] | None = None) -> str:
    """Keep a value in a file and return its address."""
    raise NotImplementedError


def load(path: str | os.PathLike[str]) -> object:
    """Return the value that a file keeps."""
    raise NotImplementedError


def keep(
    value: object, content: Digest, component: str, variable: str, producer: SpanContext
) -> str | None:
    """Save a value under SAVE_DIR unless its content is there already; return its address."""
    raise NotImplementedError


def read_producer(url: str) -> tuple[str, int, SpanContext] | None:
    """Return digest, size in bytes and producing span of an artifact."""
    raise NotImplementedError
