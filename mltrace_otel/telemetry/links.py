"""IO pointers as span links. In: what a run read and wrote. Out: links, in shares that spans hold.

Pointers that differ by their names only share a link, so that a batch of 10,000 prediction ids is
one link. A link leads to the pointer's producer; where none is known, to the run itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from opentelemetry.trace import SpanContext

from mltrace_otel.contract import attributes as key
from mltrace_otel.pointers import IOPointer
from mltrace_otel.telemetry.otlp import LINK_ATTRIBUTES, SPAN_LINKS, encode_attributes, pack

NAMES_PER_LINK = 10_000
_CHARACTERS_PER_LINK = 200_000

# Whether it is known that a context is of another process, and whether it is.
_FLAGS = (b"\x35\x00\x01\x00\x00", b"\x35\x00\x03\x00\x00")


class Link(NamedTuple):
    """A link as a field of a span, and how many pointers it names."""

    field: bytes
    pointers: int


class Share(NamedTuple):
    """Links for one span; ``offset`` pointers are named in the shares before."""

    offset: int
    links: list[bytes]


def make_links(direction: str, pointers: Sequence[IOPointer], own: SpanContext) -> Iterator[Link]:
    """Yield links to the pointers' producers, or to the run's ``own`` span."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for pointer in filter(_has_only_a_name, pointers):
        alike.setdefault((pointer.type, pointer.labels), []).append(pointer.name)
    head = _encode_head(own)
    for (type_, labels), names in alike.items():
        kind = _encode_kind(direction, type_, labels)
        for part in _divide(names):
            said = {key.IO_NAME: part[0]} if len(part) == 1 else {key.IO_NAMES: part}
            named = encode_attributes(said, LINK_ATTRIBUTES)
            yield Link(pack(SPAN_LINKS, head + kind + named), len(part))
    for pointer in pointers:
        if not _has_only_a_name(pointer):
            yield Link(pack(SPAN_LINKS, _encode_pointer(direction, pointer, own)), 1)


def share_out(links: Iterable[Link], first_bytes: int, limit_bytes: int) -> list[Share]:
    """Divide links, in order, into shares of at most ``limit_bytes``; one has one link at least.

    Args:
        links: all links of a run.
        first_bytes: what the first share's span takes without links; the first may stay empty.
        limit_bytes: how much a span may take.
    """
    shares = [Share(0, [])]
    size_bytes, count = first_bytes, 0
    for link in links:
        link_bytes = len(link.field)
        if size_bytes + link_bytes > limit_bytes:
            shares.append(Share(count, []))
            size_bytes = 0
        shares[-1].links.append(link.field)
        size_bytes += link_bytes
        count += link.pointers
    return shares


def _divide(names: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    characters = 0
    for name in names:
        if len(part) == NAMES_PER_LINK or (part and characters + len(name) > _CHARACTERS_PER_LINK):
            yield part
            part, characters = [], 0
        part.append(name)
        characters += len(name)
    yield part


def _has_only_a_name(pointer: IOPointer) -> bool:
    return pointer.digest is None and pointer.producer is None and pointer.size_bytes is None


def _encode_pointer(direction: str, pointer: IOPointer, own: SpanContext) -> bytes:
    said = {
        key.IO_NAME: pointer.name,
        key.IO_DIGEST: pointer.digest,
        key.IO_SIZE: pointer.size_bytes,
    }
    return (
        _encode_head(pointer.producer or own)
        + _encode_kind(direction, pointer.type, pointer.labels)
        + encode_attributes(said, LINK_ATTRIBUTES)
    )


def _encode_head(context: SpanContext) -> bytes:
    trace_id, span_id = context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big")
    return b"\x0a\x10" + trace_id + b"\x12\x08" + span_id + _FLAGS[context.is_remote]


@lru_cache(maxsize=1024)
def _encode_kind(direction: str, type_: str, labels: tuple[str, ...]) -> bytes:
    said = {key.IO_DIRECTION: direction, key.IO_TYPE: type_, key.IO_LABELS: labels}
    return encode_attributes(said, LINK_ATTRIBUTES)
