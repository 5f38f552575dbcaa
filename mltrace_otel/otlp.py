"""Attributes in OTLP: values that spans, links and events carry come in, protobuf goes out."""

from collections.abc import Mapping, Sequence

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

Value = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, Value | None]

TEXT_LIMIT = 256 * 1024
"""Characters of one text that are sent: a run with endless notes must still be small enough."""


def encode_pairs(attributes: Attributes) -> list[KeyValue]:
    """Return the attributes that say something."""
    return [
        KeyValue(key=name, value=_encode_value(value))
        for name, value in attributes.items()
        if value or (value is not None and not isinstance(value, Sequence))
    ]


def _encode_value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=clean(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_encode_value(text) for text in value]))


def clean(text: str) -> str:
    """Return text that UTF-8 can hold: names of files in other encodings have lone surrogates."""
    text = text[:TEXT_LIMIT]
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
