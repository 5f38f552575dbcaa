"""OTLP in protobuf: bytes in, spans out.

Source: https://opentelemetry.io/docs/specs/otlp/ and opentelemetry/proto/trace/v1/trace.proto.
"""

import base64
from collections.abc import Callable, Iterable, Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_exporter.decode.spans import REPLACEMENT, Attributes, Event, Link, Span, fit_float
from mltrace_exporter.errors import MalformedRequest


def read_protobuf(body: bytes) -> Iterator[Span]:
    """Yield the spans of a serialised ``ExportTraceServiceRequest``.

    Raises:
        MalformedRequest: the bytes are no such message.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedRequest(f"The body is no OTLP trace request in protobuf: {error}") from None
    for group in request.resource_spans:
        resource = _read_attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _read_span(span, resource)


def _read_span(span: trace_pb2.Span, resource: Attributes) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        start_time_ns=span.start_time_unix_nano,
        end_time_ns=span.end_time_unix_nano,
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        status_message=_read_text(span.status.message),
        attributes=_read_attributes(span.attributes),
        events=[
            Event(_read_text(event.name), _read_attributes(event.attributes))
            for event in span.events
        ],
        links=[
            Link(link.trace_id, link.span_id, _read_attributes(link.attributes))
            for link in span.links
        ],
        resource=resource,
    )


def _read_attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {_read_text(pair.key): _read_value(pair.value) for pair in pairs}


def _read_text(text: str) -> str:
    """Return storable text. Protobuf's strings are UTF-8, so of what is refused only NUL can be."""
    return text.replace("\0", REPLACEMENT)


def _read_value(value: AnyValue) -> object:
    if text := value.string_value:
        return _read_text(text)
    kind = value.WhichOneof("value")
    return _READERS[kind](value) if kind in _READERS else None


_READERS: dict[str | None, Callable[[AnyValue], object]] = {
    "string_value": lambda _: "",
    "bool_value": lambda value: value.bool_value,
    "int_value": lambda value: value.int_value,
    "double_value": lambda value: fit_float(value.double_value),
    "bytes_value": lambda value: base64.b64encode(value.bytes_value).decode(),
    "array_value": lambda value: [_read_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: _read_attributes(value.kvlist_value.values),
}
