"""Names of what runs read and write. In: values of variables. Out: IO pointers.

A text or path names a pointer by its value, a list of them one pointer an element. Everything else
in memory is named by its place, which differs between inputs and outputs: such values find each
other by their content only.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from numbers import Number
from pathlib import Path

from opentelemetry.trace import SpanContext

from mltrace_otel.artifacts.files import hide_password, is_remote
from mltrace_otel.artifacts.formats import Format
from mltrace_otel.artifacts.sidecars import read_producer
from mltrace_otel.digest import Digest, digest, digest_file
from mltrace_otel.errors import SettingsError
from mltrace_otel.names import find_paths, is_being_written, read_names
from mltrace_otel.notices import log
from mltrace_otel.producers import PRODUCERS
from mltrace_otel.settings import FILE_LIMIT, read_file_limit

_PARTED = frozenset({dict, list, tuple})
_THINGS_LIMIT = 64
_REMOTE_LIMIT = 16
_SAVED_SUFFIXES = tuple(Format)
_DATA_KINDS = frozenset(
    {
        *(("numpy", "ndarray"), ("scipy", "spmatrix"), ("scipy", "sparray"), ("torch", "Tensor")),
        *(("pandas", kind) for kind in ("DataFrame", "Index", "Series")),
        *(("polars", kind) for kind in ("DataFrame", "LazyFrame", "Series")),
        *(("pyarrow", kind) for kind in ("Array", "ChunkedArray", "RecordBatch", "Table")),
        ("pyspark", "DataFrame"),
    }
)


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
    suffix = lowered[lowered.rfind(".") :]
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
    pointers = []
    for place, thing in split_value(variable, value):
        content = _digest_content(thing)
        producer = PRODUCERS.find(content) if content else None
        pointers.append(_place(f"{component}({place})", variable, thing, content, producer))
    return pointers


def read_outputs(
    component: str, variable: str, value: object, producer: SpanContext
) -> list[IOPointer]:
    """Return the pointers of an output variable's value, and remember who wrote it."""
    named = _read_named(value)
    if named is not None:
        return [replace(each, producer=None) if each.producer else each for each in named]
    pointers = []
    for place, thing in split_value(variable, value):
        content = _digest_content(thing)
        if content:
            PRODUCERS.remember(content, producer)
        pointers.append(_place(f"{component}.{place}", variable, thing, content, None))
    return pointers


def split_value(variable: str, value: object) -> list[tuple[str, object]]:
    """Return the things that a value consists of, each with its place.

    A list or dict of tables, arrays or models is these, such as the parts that a table was split
    into; every other value is one thing.
    """
    pairs: list[tuple[object, object]] = []
    kind = type(value)
    if kind in _PARTED and isinstance(value, list | tuple):
        pairs = list(enumerate(value))
    elif (
        kind in _PARTED
        and isinstance(value, dict)
        and all(type(key) in {str, int} for key in value)
    ):
        pairs = list(value.items())
    if 0 < len(pairs) <= _THINGS_LIMIT and all(
        _is_data(kind) or _is_model(kind) for kind in {type(thing) for _, thing in pairs}
    ):
        return [(f"{variable}[{key}]", each) for key, each in pairs]
    return [(variable, value)]


def _is_data(kind: type) -> bool:
    """Tell whether values of a type are tables or arrays."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in kind.__mro__}
    return not bases.isdisjoint(_DATA_KINDS)


def _is_model(kind: type) -> bool:
    return hasattr(kind, "predict") or hasattr(kind, "state_dict")


def _read_named(value: object) -> list[IOPointer] | None:
    """Return the pointers that a value names; None if it names none but is one itself."""
    try:
        names, is_open = read_names(value), is_being_written(value)
    except Exception:  # noqa: BLE001 - any object may refuse to tell, in its own way
        return None
    if names is None:
        return None
    if is_open:
        return [IOPointer(name, guess_type(name)) for name in names]
    paths = find_paths(names)
    is_remote_asked = len(names) <= _REMOTE_LIMIT
    return [
        point(name)
        if name in paths or (is_remote_asked and is_remote(name))
        else IOPointer(hide_password(name), guess_type(name))
        for name in names
    ]


def point(name: str) -> IOPointer:
    """Return the pointer with this name, with the content of the file or folder that it names.

    If it is the address of a saved value, its content is the value's, its producer who saved it.
    """
    type_ = guess_type(name)
    if is_remote(name):
        shown = hide_password(name)
        saved = read_producer(name) if name.endswith(_SAVED_SUFFIXES) else None
    else:
        shown = name
        saved = read_producer(name) if os.path.isfile(name) else None  # noqa: PTH113 - no path, maybe
    if saved:
        return IOPointer(shown, type_, saved[0], saved[1], producer=saved[2])
    content = None if is_remote(name) else digest_file(Path(name), _read_file_limit())
    if content is None:
        return IOPointer(shown, type_)
    return IOPointer(shown, type_, content.text, content.size_bytes)


def _read_file_limit() -> int:
    return _parse_file_limit(os.environ.get(FILE_LIMIT, ""))


@cache
def _parse_file_limit(text: str) -> int:
    try:
        return read_file_limit({FILE_LIMIT: text})
    except SettingsError as error:
        log.warning("%s Until then larger files than usual are sampled.", error)
        return read_file_limit({})


def _digest_content(value: object) -> Digest | None:
    # A number says nothing about where it came from.
    numpy = sys.modules.get("numpy")
    if issubclass(type(value), (Number, numpy.generic) if numpy else Number):
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
    if _is_model(kind):
        return PointerType.MODEL
    return PointerType.DATA if _is_data(kind) else guess_type(variable)


def accept_names(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return names as a tuple; a text is one name."""
    return (names,) if isinstance(names, str) else tuple(names)
