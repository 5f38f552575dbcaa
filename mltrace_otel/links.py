"""IO pointers as span links. In: what a run read and wrote. Out: links, in shares that spans hold.

Pointers that differ by their names only share a link, so that a batch of 10,000 prediction ids is
one link. A link leads to the pointer's producer; where none is known, to the run itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.trace import SpanContext

from mltrace_otel.contract import attributes as key
from mltrace_otel.otlp import Attributes, encode_pairs
from mltrace_otel.pointers import IOPointer

NAMES_PER_LINK = 10_000
_CHARACTERS_PER_LINK = 200_000

FLAGS = trace_pb2.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
REMOTE_FLAGS = FLAGS | trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


class Link(NamedTuple):
    """A link, and how many pointers it names."""

    message: trace_pb2.Span.Link
    pointers: int


class Share(NamedTuple):
    """Links for one span; ``offset`` pointers are named in the shares before."""

    offset: int
    links: list[trace_pb2.Span.Link]


def make_links(direction: str, pointers: Sequence[IOPointer], own: SpanContext) -> Iterator[Link]:
    """Yield links to the pointers' producers, or to the run's ``own`` span."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for pointer in filter(_has_only_a_name, pointers):
        alike.setdefault((pointer.type, pointer.labels), []).append(pointer.name)
    for (type_, labels), names in alike.items():
        for part in _divide(names):
            said: Attributes = {
                key.IO_DIRECTION: direction,
                key.IO_NAME: part[0] if len(part) == 1 else None,
                key.IO_NAMES: None if len(part) == 1 else part,
                key.IO_TYPE: type_,
                key.IO_LABELS: labels,
            }
            yield Link(_make_link(own, said), len(part))
    for pointer in pointers:
        if not _has_only_a_name(pointer):
            told = _describe_pointer(direction, pointer)
            yield Link(_make_link(pointer.producer or own, told), 1)


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
        link_bytes = link.message.ByteSize()
        if size_bytes + link_bytes > limit_bytes:
            shares.append(Share(count, []))
            size_bytes = 0
        shares[-1].links.append(link.message)
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


def _describe_pointer(direction: str, pointer: IOPointer) -> Attributes:
    return {
        key.IO_DIRECTION: direction,
        key.IO_NAME: pointer.name,
        key.IO_TYPE: pointer.type,
        key.IO_DIGEST: pointer.digest,
        key.IO_SIZE: pointer.size_bytes,
        key.IO_LABELS: pointer.labels,
    }


def _make_link(context: SpanContext, attributes: Attributes) -> trace_pb2.Span.Link:
    return trace_pb2.Span.Link(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        flags=REMOTE_FLAGS if context.is_remote else FLAGS,
        attributes=encode_pairs(attributes),
    )
