"""What a span's links, and its attributes for tools without links, name as read or written."""

from collections.abc import Iterator
from itertools import islice, zip_longest

from mltrace_exporter.decode.fields import Rest, get_text, shorten, take_count, take_texts
from mltrace_exporter.decode.identity import read_id
from mltrace_exporter.decode.spans import Link, Span
from mltrace_exporter.model import Io, SpanId
from mltrace_otel.contract import attributes as names

DIGEST_LIMIT_BYTES = 200

_SIZE_LIMIT_BYTES = 2**63


def read_io(span: Span, rest: Rest, run: SpanId) -> tuple[Io, ...]:
    """Return the inputs and outputs that a span names, in its order.

    Args:
        span: gives the links.
        rest: its attributes; those that name pointers are taken out.
        run: the run that read and wrote.
    """
    found = [io for link in span.links for io in _read_link(link, run)]
    known = {(io.direction, io.name) for io in found}
    for direction, key in (("input", names.INPUTS), ("output", names.OUTPUTS)):
        told = dict.fromkeys(take_texts(rest, key))
        found += [Io(direction, name) for name in told if name and (direction, name) not in known]
    return tuple(found)


def _read_link(link: Link, run: SpanId) -> Iterator[Io]:
    said = dict(link.attributes)
    direction = get_text(said, names.IO_DIRECTION)
    if direction not in ("input", "output"):
        return
    type_ = get_text(said, names.IO_TYPE)
    size_bytes = take_count(said, names.IO_SIZE, _SIZE_LIMIT_BYTES)
    labels = take_texts(said, names.IO_LABELS)
    producer = read_id(link.trace_id, link.span_id) if direction == "input" else None
    for name, digest in _read_names(said):
        if name:
            yield Io(
                direction=direction,
                name=name,
                type=type_ if type_ in ("data", "model", "endpoint") else "unknown",
                digest=shorten(digest, DIGEST_LIMIT_BYTES) if digest else None,
                size_bytes=size_bytes,
                labels=labels,
                producer=None if producer == run else producer,
            )


def _read_names(said: Rest) -> Iterator[tuple[str | None, str | None]]:
    """Yield names with digests: the link's one, and its many."""
    yield get_text(said, names.IO_NAME), get_text(said, names.IO_DIGEST)
    if names.IO_NAMES in said:
        many, digests = take_texts(said, names.IO_NAMES), take_texts(said, names.IO_DIGESTS)
        yield from islice(zip_longest(many, digests), len(many))
