"""The entry to decoding: one request's bytes in, its component runs out."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mltrace_exporter.decode.runs import Unreadable, is_component_run, read_run
from mltrace_exporter.decode.spans import Span
from mltrace_exporter.decode.wire_json import read_json
from mltrace_exporter.decode.wire_protobuf import read_protobuf
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.model import Run

_log = logging.getLogger(__name__)


class Encoding(StrEnum):
    """How a request is written: the content types of OTLP."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


_READERS: dict[Encoding, Callable[[bytes], Iterator[Span]]] = {
    Encoding.PROTOBUF: read_protobuf,
    Encoding.JSON: read_json,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """The component runs of a request, and how many other spans it held."""

    runs: list[Run]
    ignored: int


def decode_request(body: bytes, encoding: Encoding) -> Decoded:
    """Decode an OTLP trace request.

    Args:
        body: the request, decompressed.
        encoding: how it is written.

    Returns:
        The component runs in the order sent. A component run that cannot be stored, because it has
        no id or no time, is logged and counted as ignored: it must not cost the others.

    Raises:
        MalformedRequest: the body as a whole cannot be read.
    """
    try:
        spans = list(_READERS[encoding](body))
    except RecursionError:
        raise MalformedRequest("The body's values are nested too deeply.") from None
    runs = []
    for span in spans:
        if not is_component_run(span):
            continue
        try:
            runs.append(read_run(span))
        except Unreadable as error:
            _log.warning("A component run was left out: %s", error)
    return Decoded(runs, ignored=len(spans) - len(runs))
