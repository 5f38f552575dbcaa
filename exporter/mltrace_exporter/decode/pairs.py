"""Attributes in protobuf: keys and values as they are written come in, what they say goes out.

Most of what a run says, the run before it said too. So the pairs of a span are left as bytes, and
what bytes say is remembered, which takes a tenth of the time of reading them.
Source: opentelemetry/proto/common/v1/common.proto.
"""

import base64
from collections.abc import Callable, Sequence
from functools import lru_cache

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from mltrace_exporter.decode.spans import REPLACEMENT, Recalled, fit_float

_REMEMBERED_PAIRS = 4096
_REMEMBERED_BYTES = 4096
_REMEMBERED_SPANS = 1024
_REMEMBERED_SPAN_BYTES = 8192


def read_pairs(pairs: Sequence[bytes]) -> dict[str, object]:
    """Return what attributes say. Their values are shared with other spans: change none.

    Args:
        pairs: each a serialised ``KeyValue``.
    """
    written = pairs[:]  # a list, which takes half the time to walk
    if sum(map(len, written)) <= _REMEMBERED_BYTES:
        return dict(map(_recall, written))
    return dict(
        [_recall(pair) if len(pair) <= _REMEMBERED_BYTES else _read_pair(pair) for pair in written]
    )


def read_span_pairs(pairs: Sequence[bytes]) -> dict[str, object]:
    """Return what a span's attributes say: `Recalled`, unless they are too long to be remembered.

    Args:
        pairs: each a serialised ``KeyValue``.
    """
    written = tuple(pairs[:])
    if sum(map(len, written)) > _REMEMBERED_SPAN_BYTES:
        return read_pairs(written)
    return _recall_all(written)


@lru_cache(_REMEMBERED_SPANS)
def _recall_all(written: tuple[bytes, ...]) -> Recalled:
    return Recalled(read_pairs(written))


def clean(text: str) -> str:
    """Return storable text. Protobuf's strings are UTF-8, so of what is refused only NUL can be."""
    return text.replace("\0", REPLACEMENT)


def _read_pair(raw: bytes) -> tuple[str, object]:
    pair = KeyValue.FromString(raw)
    value = pair.value
    # Most are texts, and asking which kind a value is takes longer.
    text = value.string_value
    return clean(pair.key), clean(text) if text else _read_value(value)


_recall = lru_cache(_REMEMBERED_PAIRS)(_read_pair)


def _read_value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return _READERS[kind](value) if kind in _READERS else None


_READERS: dict[str | None, Callable[[AnyValue], object]] = {
    "string_value": lambda value: clean(value.string_value),
    "bool_value": lambda value: value.bool_value,
    "int_value": lambda value: value.int_value,
    "double_value": lambda value: fit_float(value.double_value),
    "bytes_value": lambda value: base64.b64encode(value.bytes_value).decode(),
    "array_value": lambda value: [_read_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: {
        clean(pair.key): _read_value(pair.value) for pair in value.kvlist_value.values
    },
}
