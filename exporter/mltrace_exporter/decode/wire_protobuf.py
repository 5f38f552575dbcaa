"""OTLP in protobuf: bytes in, spans out.

Everything is read in few steps, because there is so much of it: what a step costs is paid fifty
times a run. Source: https://opentelemetry.io/docs/specs/otlp/ and
opentelemetry/proto/trace/v1/trace.proto.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_exporter.decode.messages import RawMessages
from mltrace_exporter.decode.pairs import clean, read_pairs, read_span_pairs
from mltrace_exporter.decode.rescue import rescue_request
from mltrace_exporter.decode.spans import Attributes, Event, Link, Span, Spoilt
from mltrace_otel.contract.attributes import COMPONENT_NAME

_ERROR = trace_pb2.Status.STATUS_CODE_ERROR
# Its spans hold attributes as they are written, for `read_pairs`.
_RawRequest: Any = RawMessages(
    lambda field: field.type_name == ".opentelemetry.proto.common.v1.KeyValue"
).get_class(ExportTraceServiceRequest.DESCRIPTOR.full_name)


def read_protobuf(body: bytes) -> Iterator[Span | Spoilt | None]:
    """Yield the spans of a serialised ``ExportTraceServiceRequest``.

    For a span that names no component, which is of no interest here, None is yielded. One bad span
    does not cost the others.

    Raises:
        MalformedRequest: the bytes are no such message.
    """
    try:
        # Only to find out whether all of it can be read.
        ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        request, spoilt = rescue_request(body)
        yield from spoilt
        body = request.SerializeToString()
    for group in _RawRequest.FromString(body).resource_spans:
        resource = read_pairs(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _read_span(span, resource)


def write_protobuf(source: object) -> bytes:
    """Return the bytes of a span's source."""
    assert isinstance(source, Message)  # noqa: S101 - ours, see `_read_span`
    return source.SerializeToString()


def _read_span(span: Any, resource: Attributes) -> Span | None:  # noqa: ANN401 - a raw message
    attributes = read_span_pairs(span.attributes)
    if COMPONENT_NAME not in attributes:
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
        span,
    )
