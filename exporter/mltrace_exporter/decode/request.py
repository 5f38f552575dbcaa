"""The entry to decoding: one request's bytes in, what it says of runs out."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum

from mltrace_exporter.decode.fields import get_text
from mltrace_exporter.decode.markers import read_marker, read_part
from mltrace_exporter.decode.runs import read_run
from mltrace_exporter.decode.spans import Span, Spoilt, Unreadable
from mltrace_exporter.decode.wire_json import read_json, write_json
from mltrace_exporter.decode.wire_protobuf import read_protobuf, write_protobuf
from mltrace_exporter.model import Batch, DeadLetter
from mltrace_otel.contract import attributes as names

_NO_RECORD = object()


class Encoding(StrEnum):
    """How a request is written: the content types of OTLP."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


_Reader = Callable[[bytes], Iterator[Span | Spoilt | None]]
_Writer = Callable[[object], bytes]
_WIRES: dict[Encoding, tuple[_Reader, _Writer]] = {
    Encoding.PROTOBUF: (read_protobuf, write_protobuf),
    Encoding.JSON: (read_json, write_json),
}


def decode_request(body: bytes, encoding: Encoding) -> Batch:
    """Decode an OTLP trace request.

    Args:
        body: the request, decompressed.
        encoding: how it is written.

    Returns:
        What it says of component runs, in the order sent. A span that cannot be stored, because it
        has no id or no time, is among the dead letters: it must not cost the others.

    Raises:
        MalformedRequest: the body as a whole cannot be read.
    """
    read, write = _WIRES[encoding]
    batch = Batch()
    ignored = 0
    for span in read(body):
        if span is None:
            ignored += 1
        elif isinstance(span, Spoilt):
            batch.dead_letters.append(DeadLetter(span.reason, span.content, encoding))
        else:
            ignored += not _take_in(span, batch, encoding, write)
    return replace(batch, ignored=ignored)


def _take_in(span: Span, batch: Batch, encoding: Encoding, write: _Writer) -> bool:
    """Add what a span says of a run to the batch; say whether it did."""
    try:
        return _read_span(span, batch)
    except Unreadable as error:
        name = get_text(span.attributes, names.COMPONENT_NAME)
        letter = DeadLetter(str(error), write(span.source), encoding, name)
        batch.dead_letters.append(letter)
        return True


def _read_span(span: Span, batch: Batch) -> bool:
    """A span is a component run if it names a component and is no helper of one."""
    record = span.attributes.get(names.RECORD, _NO_RECORD)
    if record is _NO_RECORD:
        batch.runs.append(read_run(span))
    elif record == names.RECORD_START:
        batch.markers.append(read_marker(span))
    elif record == names.RECORD_IO:
        batch.parts.append(read_part(span))
    else:
        return False
    return True
