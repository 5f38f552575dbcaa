"""The entry to decoding: one request's bytes in, what it says of runs out."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum

from mltrace_exporter.decode.identity import Unreadable
from mltrace_exporter.decode.markers import read_marker, read_part
from mltrace_exporter.decode.runs import read_run
from mltrace_exporter.decode.spans import Span
from mltrace_exporter.decode.wire_json import read_json
from mltrace_exporter.decode.wire_protobuf import read_protobuf
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.model import Batch
from mltrace_otel.contract import attributes as names

_log = logging.getLogger(__name__)


class Encoding(StrEnum):
    """How a request is written: the content types of OTLP."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


_READERS: dict[Encoding, Callable[[bytes], Iterator[Span]]] = {
    Encoding.PROTOBUF: read_protobuf,
    Encoding.JSON: read_json,
}


def decode_request(body: bytes, encoding: Encoding) -> Batch:
    """Decode an OTLP trace request.

    Args:
        body: the request, decompressed.
        encoding: how it is written.

    Returns:
        What it says of component runs, in the order sent. A span that cannot be stored, because it
        has no id or no time, is logged and counted as ignored: it must not cost the others.

    Raises:
        MalformedRequest: the body as a whole cannot be read.
    """
    try:
        spans = list(_READERS[encoding](body))
    except RecursionError:
        raise MalformedRequest("The body's values are nested too deeply.") from None
    batch = Batch()
    for span in spans:
        try:
            _read_span(span, batch)
        except Unreadable as error:
            _log.warning("A span was left out: %s", error)
    return replace(batch, ignored=len(spans) - len(batch))


def _read_span(span: Span, batch: Batch) -> None:
    """Add what a span says of runs, if it does.

    A span is a component run if it names a component and is no helper of one.
    """
    said = span.attributes
    if names.COMPONENT_NAME not in said:
        return
    if names.RECORD not in said:
        batch.runs.append(read_run(span))
    elif said[names.RECORD] == names.RECORD_START:
        batch.markers.append(read_marker(span))
    elif said[names.RECORD] == names.RECORD_IO:
        batch.parts.append(read_part(span))
