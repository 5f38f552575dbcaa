"""OTLP in protobuf: bytes in, spans out.

Everything is read in few steps, because there is so much of it: what a step costs is paid fifty
times a run. And it is read once: whether a span can be read is found out by reading it.
Source: https://opentelemetry.io/docs/specs/otlp/ and
opentelemetry/proto/trace/v1/trace.proto.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_exporter.decode.messages import RawMessages
from mltrace_exporter.decode.pairs import clean, read_pairs, read_span_pairs
from mltrace_exporter.decode.rescue import rescue_request, rescue_resource, rescue_span
from mltrace_exporter.decode.spans import Attributes, Event, Link, Span, Spoilt
from mltrace_otel.contract.attributes import COMPONENT_NAME

_ERROR = trace_pb2.Status.STATUS_CODE_ERROR
# A request holds its spans as they are written, and these their attributes, for `read_pairs`.
_RAW = {".opentelemetry.proto.common.v1.KeyValue", ".opentelemetry.proto.trace.v1.Span"}
_messages = RawMessages(lambda field: field.type_name in _RAW)
_RawRequest: Any = _messages.get_class(ExportTraceServiceRequest.DESCRIPTOR.full_name)
_RawResource: Any = _messages.get_class(Resource.DESCRIPTOR.full_name)
_RawSpan: Any = _messages.get_class(trace_pb2.Span.DESCRIPTOR.full_name)


def read_protobuf(body: bytes) -> Iterator[Span | Spoilt | None]:
    """Yield the spans of a serialised ``ExportTraceServiceRequest``.

    For a span that names no component, which is of no interest here, None is yielded. One bad span
    does not cost the others.

    Raises:
        MalformedRequest: the bytes are no such message.
    """
    try:
        request = _RawRequest.FromString(body)
    except DecodeError:
        saved, spoilt = rescue_request(body)
        yield from spoilt
        request = _RawRequest.FromString(saved.SerializeToString())
    for group in request.resource_spans:
        resource = _read_resource(group.resource)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _try_span(span, resource)


def write_protobuf(source: object) -> bytes:
    """Return the bytes of a span's source."""
    assert isinstance(source, bytes)  # noqa: S101 - ours, see `_read_span`
    return source


def _read_resource(resource: Any) -> Attributes:  # noqa: ANN401 - a raw message
    try:
        return read_pairs(resource.attributes)
    except DecodeError:
        saved = rescue_resource(resource.SerializeToString())
        return read_pairs(_RawResource.FromString(saved).attributes)


def _try_span(written: bytes, resource: Attributes) -> Span | Spoilt | None:
    try:
        return _read_span(written, resource)
    except DecodeError:
        saved = rescue_span(written)
        return saved if isinstance(saved, Spoilt) else _read_span(saved, resource)


def _read_span(written: bytes, resource: Attributes) -> Span | None:
    span = _RawSpan.FromString(written)
    attributes = read_span_pairs(span.attributes)
    if COMPONENT_NAME not in attributes:
        trace_pb2.Span.FromString(written)  # Can all of it be read?
        return None
    status = span.status
    return Span(
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        status.code == _ERROR,
        clean(status.message),
        attributes,
        [Event(clean(event.name), read_pairs(event.attributes)) for event in span.events],
        [Link(link.trace_id, link.span_id, read_pairs(link.attributes)) for link in span.links],
        resource,
        written,
    )
