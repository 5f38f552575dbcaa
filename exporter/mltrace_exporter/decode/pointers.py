"""What a span's links, and its attributes for tools without links, name as read or written."""

from collections.abc import Mapping
from itertools import islice, zip_longest

from mltrace_exporter.decode.fields import (
    Rest,
    get_count,
    get_text,
    get_texts,
    shorten,
    take_texts,
)
from mltrace_exporter.decode.identity import read_id
from mltrace_exporter.decode.spans import Link, Span
from mltrace_exporter.model import Io, SpanId
from mltrace_otel.contract import attributes as names

DIGEST_LIMIT_BYTES = 200

_SIZE_LIMIT_BYTES = 2**63
_DIRECTIONS = ("input", "output")
# The most frequent first. No set: it would not take a list, which some sender may say.
_TYPES = ("data", "model", "endpoint", "unknown")


def read_io(span: Span, rest: Rest, run: SpanId) -> tuple[Io, ...]:
    """Return the inputs and outputs that a span names, in its order.

    Args:
        span: gives the links.
        rest: its attributes; those that name pointers are taken out.
        run: the run that read and wrote.
    """
    found: list[Io] = []
    for link in span.links:
        _read_link(link, run, found)
    if names.INPUTS not in rest and names.OUTPUTS not in rest:
        return tuple(found)
    known = {(io.direction, io.name) for io in found}
    for direction, key in (("input", names.INPUTS), ("output", names.OUTPUTS)):
        told = dict.fromkeys(take_texts(rest, key))
        found += [Io(direction, name) for name in told if name and (direction, name) not in known]
    return tuple(found)


def _read_link(link: Link, run: SpanId, found: list[Io]) -> None:
    trace_id, span_id, said = link
    direction = said.get(names.IO_DIRECTION)
    if direction not in _DIRECTIONS:
        return
    producer = None
    if direction == "input" and (span_id != run.span_id or trace_id != run.trace_id):
        producer = read_id(trace_id, span_id)
    type_ = said.get(names.IO_TYPE)
    type_ = type_ if type_ in _TYPES else "unknown"
    size_bytes = get_count(said, names.IO_SIZE, _SIZE_LIMIT_BYTES)
    labels = get_texts(said, names.IO_LABELS) if names.IO_LABELS in said else ()
    told = [(get_text(said, names.IO_NAME), get_text(said, names.IO_DIGEST))]
    if names.IO_NAMES in said:
        told += _list_many(said)
    for name, digest in told:
        if name:
            content = shorten(digest, DIGEST_LIMIT_BYTES) if digest else None
            found.append(Io(direction, name, type_, content, size_bytes, labels, producer))


def _list_many(said: Mapping[str, object]) -> list[tuple[str, str | None]]:
    """Return the names of a link that has many, with their digests."""
    many, digests = get_texts(said, names.IO_NAMES), get_texts(said, names.IO_DIGESTS)
    return list(islice(zip_longest(many, digests), len(many)))
