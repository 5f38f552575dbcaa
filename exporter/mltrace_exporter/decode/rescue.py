"""Protobuf that does not decode: bytes in, all spans in them that can be saved out.

A collector merges many senders into one request, and one with damaged bytes must not cost the
others. So bytes are taken apart at the level of spans, which are read one by one.
Source: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_exporter.decode.mending import read_mended
from mltrace_exporter.decode.spans import Spoilt
from mltrace_exporter.errors import MalformedRequest

_RESOURCE_SPANS = _RESOURCE = 1
_SCOPE_SPANS = _SPANS = 2
_BYTES = 2
# How long a value is by its wire type. One of type 0 is a number, one of type 2 tells its length.
_LENGTHS = {0: 0, 1: 8, _BYTES: 0, 5: 4}
_VARINT_LIMIT = 10
# OTLP has two others beside each list that is looked for; versions to come may have some more.
_STRANGE_LIMIT = 1000


class _Damaged(Exception):  # noqa: N818 - never leaves this module
    """The bytes are no protobuf from here on."""


def rescue_request(body: bytes) -> tuple[ExportTraceServiceRequest, list[Spoilt]]:
    """Return a request with the spans that can be read, and those that cannot.

    Raises:
        MalformedRequest: no span can be found in it.
    """
    request = ExportTraceServiceRequest()
    spoilt: list[Spoilt] = []
    try:
        for part in _find(body, _RESOURCE_SPANS):
            _rescue_group(part, request.resource_spans.add(), spoilt)
    except _Damaged as error:
        if not spoilt and not any(_count_spans(group) for group in request.resource_spans):
            text = f"The body is no OTLP trace request in protobuf: {error}"
            raise MalformedRequest(text) from None
        spoilt.append(
            Spoilt(f"The request is damaged behind the spans that were read: {error}", body)
        )
    return request, spoilt


def rescue_span(raw: bytes) -> bytes | Spoilt:
    """Return a span that cannot be read as one that can, if only its strings are damaged."""
    span = trace_pb2.Span()
    try:
        read_mended(raw, span)
    except DecodeError as error:
        return Spoilt(f"The span's bytes are damaged: {error}", raw)
    return span.SerializeToString()


def rescue_resource(raw: bytes) -> bytes:
    """Return a resource as one that can be read; where it ran is not worth the runs."""
    resource = Resource()
    try:
        read_mended(raw, resource)
    except DecodeError:
        return b""
    return resource.SerializeToString()


def _rescue_group(raw: bytes, group: trace_pb2.ResourceSpans, spoilt: list[Spoilt]) -> None:
    scope = group.scope_spans.add()
    for part in _find(raw, _RESOURCE):
        group.resource.MergeFromString(rescue_resource(part))
    for scope_spans in _find(raw, _SCOPE_SPANS):
        for part in _find(scope_spans, _SPANS):
            saved = rescue_span(part)
            if isinstance(saved, Spoilt):
                spoilt.append(saved)
            else:
                scope.spans.add().MergeFromString(saved)


def _count_spans(group: trace_pb2.ResourceSpans) -> int:
    return sum(len(scope.spans) for scope in group.scope_spans)


def _find(raw: bytes, number: int) -> Iterator[bytes]:
    """Yield the contents of the message's fields of that number, in their order."""
    at = strange = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        wire_type = tag & 7
        if wire_type not in _LENGTHS:
            raise _Damaged(f"there is no wire type {wire_type}.")
        length = _LENGTHS[wire_type]
        if wire_type in {0, _BYTES}:
            value, at = _read_varint(raw, at)
            length = value if wire_type == _BYTES else 0
        if at + length > len(raw):
            raise _Damaged("it ends too early.")
        if tag == number << 3 | _BYTES:
            yield raw[at : at + length]
        else:
            strange += 1
            if strange > _STRANGE_LIMIT:
                raise _Damaged("it is full of fields that OTLP does not have.")
        at += length


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number, and the position behind it."""
    number = 0
    for count, byte in enumerate(raw[at : at + _VARINT_LIMIT]):
        number |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return number, at + count + 1
    raise _Damaged("a number has no end.")
