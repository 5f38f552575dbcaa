"""Attributes in OTLP: values that spans, links and events carry come in, protobuf goes out.

Written by hand, because the protobuf library takes longer to encode a short run than everything
else does that a call costs. What is written is held to that library by tests.
"""

import struct
from collections.abc import Mapping, Sequence
from functools import cache

Value = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, Value | None]

TEXT_LIMIT = 256 * 1024
"""Characters of one text that are sent: a run with endless notes must still be small enough."""

# Protobuf's tags of these fields: number and kind of what follows.
SPAN_ATTRIBUTES = b"\x4a"
SPAN_LINKS = b"\x6a"
LINK_ATTRIBUTES = b"\x22"
EVENT_ATTRIBUTES = b"\x1a"
RESOURCE_ATTRIBUTES = b"\x0a"

_VALUE = b"\x12"
_TEXT = b"\x0a"
_BOOL = (b"\x10\x00", b"\x10\x01")
_INT = b"\x18"
_DOUBLE = b"\x21"
_ARRAY = b"\x2a"
_BYTES = tuple(bytes((number,)) for number in range(256))
_MORE = 0x80
_LARGEST = (1 << 64) - 1


def encode_attributes(attributes: Attributes, tag: bytes) -> bytes:
    """Return the attributes that say something, each as a field with this tag."""
    return b"".join(
        [
            pack(tag, _encode_key(name) + pack(_VALUE, _encode_value(value)))
            for name, value in attributes.items()
            if value or (value is not None and not isinstance(value, Sequence))
        ]
    )


def pack(tag: bytes, content: bytes) -> bytes:
    """Return a field whose content has a length."""
    size = len(content)
    return tag + (_BYTES[size] if size < _MORE else encode_varint(size)) + content


def encode_varint(number: int) -> bytes:
    """Return a whole number as protobuf writes it, seven bits a byte."""
    number &= _LARGEST  # so a negative one becomes its complement
    encoded = bytearray()
    while number >= _MORE:
        encoded.append(number & 0x7F | _MORE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def encode_text(text: str) -> bytes:
    """Return text that UTF-8 can hold: names of files in other encodings have lone surrogates."""
    return text[:TEXT_LIMIT].encode("utf-8", "backslashreplace")


@cache
def _encode_key(name: str) -> bytes:
    return pack(b"\x0a", name.encode())


def _encode_value(value: Value) -> bytes:
    if isinstance(value, str):
        return pack(_TEXT, encode_text(value))
    if isinstance(value, bool):
        return _BOOL[value]
    if isinstance(value, int):
        return _INT + encode_varint(value)
    if isinstance(value, float):
        return _DOUBLE + struct.pack("<d", value)
    return pack(_ARRAY, b"".join([pack(_TEXT, _encode_value(text)) for text in value]))
