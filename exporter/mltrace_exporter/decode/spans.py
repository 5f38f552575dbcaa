"""A span as both encodings tell it: what `wire_protobuf` and `wire_json` make and `runs` reads.

Strings are storable: PostgreSQL takes neither the NUL character nor lone surrogates, which JSON can
hold, so both are replaced. Attribute values are what JSON can hold: str, bool, int, float, None,
and lists and dicts of them; bytes are base64 text, NaN and infinities words, as in OTLP's JSON.
Named tuples, because there are many: a frozen dataclass takes three times as long to make.
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

Attributes = Mapping[str, object]

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_INT64_LIMIT = 2**63


class Recalled(dict[str, object]):
    """Attributes that other spans have, too, as one object: itself the key to what follows."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment] # the object, not what it holds


class Link(NamedTuple):
    """A link to another span. Ids that the sender left out or spoilt are empty."""

    trace_id: bytes
    span_id: bytes
    attributes: Attributes


class Event(NamedTuple):
    """Something that happened in a span."""

    name: str
    attributes: Attributes


class Unreadable(Exception):  # noqa: N818 - never leaves decode: one span's misfortune, no error
    """A span that cannot be stored; the message says why."""


class Spoilt(NamedTuple):
    """A span, or what was to be one, that cannot even be taken apart: why, and its bytes."""

    reason: str
    content: bytes


class Span(NamedTuple):
    """One finished span that names a component.

    Times are nanoseconds since 1970, 0 where the sender left them out.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    start_time_ns: int
    end_time_ns: int
    failed: bool
    status_message: str
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    resource: Attributes
    source: object
    """What the sender wrote, as the wire's own writer takes it."""


def make_storable(text: str) -> str:
    """Return the text with each character that PostgreSQL refuses replaced by U+FFFD."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def fit_int(number: int) -> int | str:
    """Return the number, or its digits if OTLP's 64 bits cannot hold it."""
    return number if -_INT64_LIMIT <= number < _INT64_LIMIT else str(number)


def fit_float(number: float) -> float | str:
    """Return the number, or its name in OTLP's JSON if it is NaN or infinite."""
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
