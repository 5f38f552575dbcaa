"""Names of what runs read and write. In: values of variables. Out: IO pointers.

A text or path names a pointer by its value, a list of them one pointer an element. Everything else
in memory is named by its place, which differs between inputs and outputs: such values find each
other by their content only.
"""

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from numbers import Number
from pathlib import Path, PurePath

from opentelemetry.trace import SpanContext

from mltrace_otel.digest import Digest, digest, digest_file
from mltrace_otel.files import hide_password, is_remote
from mltrace_otel.producers import PRODUCERS
from mltrace_otel.sidecars import read_producer

FILE_LIMIT_BYTES = 256 * 1024 * 1024
NAME_LIMIT = 1024


class PointerType(StrEnum):
    """What a pointer points at."""

    DATA = "data"
    MODEL = "model"
    ENDPOINT = "endpoint"
    UNKNOWN = "unknown"


_MODEL_SUFFIXES = frozenset(
    {
        *(".ckpt", ".h5", ".joblib", ".keras", ".onnx", ".pkl", ".pt", ".pth", ".safetensors"),
        ".sav",
    }
)
_DATA_SUFFIXES = frozenset(
    {
        *(".arrow", ".avro", ".csv", ".db", ".feather", ".json", ".jsonl", ".npy", ".npz", ".orc"),
        *(".parquet", ".sqlite", ".tsv", ".txt", ".xls", ".xlsx", ".zarr"),
    }
)


@dataclass(frozen=True, slots=True)
class IOPointer:
    """One thing that a run reads or writes.

    Attributes:
        name: path, URL or id; runs that name the same thing are connected by it.
        type: what it is.
        digest: ``<algorithm>:<hex>`` of its content; None if unknown.
        size_bytes: size of its content.
        labels: words to find it by.
        producer: span of the run that wrote it, where that is known for sure.
    """

    name: str
    type: PointerType = PointerType.UNKNOWN
    digest: str | None = None
    size_bytes: int | None = None
    labels: tuple[str, ...] = ()
    producer: SpanContext | None = None


def guess_type(name: str) -> PointerType:
    """Return the type that a name suggests, by its suffix, then by the words in it."""
    lowered = name.lower()
    suffix = os.path.splitext(lowered)[1]  # noqa: PTH122 - names are no paths, and there are many
    if suffix in _DATA_SUFFIXES:
        return PointerType.DATA
    if suffix in _MODEL_SUFFIXES or "model" in lowered:
        return PointerType.MODEL
    return PointerType.DATA if "data" in lowered else PointerType.UNKNOWN


def read_inputs(component: str, variable: str, value: object) -> list[IOPointer]:
    """Return the pointers of an input variable's value."""
    named = _read_named(value)
    if named is not None:
        return named
    content = _digest_content(value)
    producer = PRODUCERS.find(content) if content else None
    return [_place(f"{component}({variable})", variable, value, content, producer)]


def read_outputs(
    component: str, variable: str, value: object, producer: SpanContext
) -> list[IOPointer]:
    """Return the pointers of an output variable's value, and remember who wrote it."""
    named = _read_named(value)
    if named is not None:
        return [replace(each, producer=None) if each.producer else each for each in named]
    content = _digest_content(value)
    if content:
        PRODUCERS.remember(content, producer)
    return [_place(f"{component}.{variable}", variable, value, content, None)]


def _read_named(value: object) -> list[IOPointer] | None:
    """Return the pointers that a value names; None if it names none but is one itself."""
    if value is None or (isinstance(value, str) and not value):
        return []
    if _is_name(value):
        return [point(os.fspath(value))]  # type: ignore[call-overload] # what _is_name found
    if isinstance(value, set | frozenset) and all(map(_is_name, value)):
        return [point(name) for name in sorted(map(os.fspath, value))]
    if isinstance(value, list | tuple) and all(map(_is_name, value)):
        return [point(os.fspath(name)) for name in value]
    return None


def _is_name(value: object) -> bool:
    # A longer text is content: no store could index it.
    return isinstance(value, PurePath) or (isinstance(value, str) and 0 < len(value) <= NAME_LIMIT)


def point(name: str) -> IOPointer:
    """Return the pointer with this name, with the content of the file if it names one.

    If it is the address of a saved value, its content is the value's, its producer who saved it.
    """
    type_ = guess_type(name)
    size_bytes = _measure_named_file(name)
    saved = None if size_bytes is None and not is_remote(name) else read_producer(name)
    if saved:
        digest_text, content_bytes, producer = saved
        shown = hide_password(name)
        return IOPointer(shown, type_, digest_text, content_bytes, producer=producer)
    if is_remote(name):
        return IOPointer(hide_password(name), type_)
    if size_bytes is None or size_bytes > FILE_LIMIT_BYTES:
        return IOPointer(name, type_)
    content = digest_file(Path(name))
    if content is None:
        return IOPointer(name, type_)
    return IOPointer(name, type_, content.text, content.size_bytes)


def _measure_named_file(name: str) -> int | None:
    try:
        status = os.stat(name)  # noqa: PTH116 - names are no paths, and there are many
    except (OSError, ValueError):  # no such file; no possible path
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _digest_content(value: object) -> Digest | None:
    # A number says nothing about where it came from.
    numpy = sys.modules.get("numpy")
    if isinstance(value, Number) or (numpy and isinstance(value, numpy.generic)):
        return None
    return digest(value)


def _place(
    name: str,
    variable: str,
    value: object,
    content: Digest | None,
    producer: SpanContext | None,
) -> IOPointer:
    type_ = _guess_type_of(value, variable)
    if content is None:
        return IOPointer(name, type_)
    return IOPointer(name, type_, content.text, content.size_bytes, producer=producer)


def _guess_type_of(value: object, variable: str) -> PointerType:
    kind = type(value)
    if hasattr(kind, "predict"):
        return PointerType.MODEL
    if kind.__module__.partition(".")[0] in {"numpy", "pandas", "polars", "pyarrow", "pyspark"}:
        return PointerType.DATA
    return guess_type(variable)


def accept_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return names as a tuple; a text is one name."""
    return (names,) if isinstance(names, str) else tuple(names)
