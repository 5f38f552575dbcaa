"""OTLP in protobuf: bytes in, spans out.

Everything is read in few steps, because there is so much of it: what a step costs is paid fifty
times a run. Source: https://opentelemetry.io/docs/specs/otlp/ and
opentelemetry/proto/trace/v1/trace.proto.
"""

import base64
from collections.abc import Callable, Iterable, Iterator

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_exporter.decode.rescue import rescue_request
from mltrace_exporter.decode.spans import (
    REPLACEMENT,
    Attributes,
    Event,
    Link,
    Span,
    Spoilt,
    fit_float,
)
from mltrace_otel.contract.attributes import COMPONENT_NAME

_ERROR = trace_pb2.Status.STATUS_CODE_ERROR


def read_protobuf(body: bytes) -> Iterator[Span | Spoilt | None]:
    """Yield the spans of a serialised ``ExportTraceServiceRequest``.

    For a span that names no component, which is of no interest here, None is yielded. One bad span
    does not cost the others.

    Raises:
        MalformedRequest: the bytes are no such message.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        request, spoilt = rescue_request(body)
        yield from spoilt
    for group in request.resource_spans:
        resource = _clean_keys(_read_attributes(group.resource.attributes))
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _read_span(span, resource)


def write_protobuf(source: object) -> bytes:
    """Return the bytes of a span's source."""
    assert isinstance(source, trace_pb2.Span)  # noqa: S101 - ours, see `_read_span`
    return source.SerializeToString()


def _read_span(span: trace_pb2.Span, resource: Attributes) -> Span | None:
    attributes = _read_attributes(span.attributes)
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
        _clean(status.message),
        _clean_keys(attributes),
        [Event(_clean(event.name), _read_attributes(event.attributes)) for event in span.events],
        [
            Link(link.trace_id, link.span_id, _read_attributes(link.attributes))
            for link in span.links
        ],
        resource,
        span,
    )


def _read_attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    said: dict[str, object] = {}
    for pair in pairs:
        value = pair.value
        if text := value.string_value:
            said[pair.key] = _clean(text) if "\0" in text else text
        else:
            said[pair.key] = _read_value(value)
    return said


def _clean_keys(said: dict[str, object]) -> dict[str, object]:
    """Return the attributes with storable keys. Those of links and events are not stored."""
    return {_clean(key): value for key, value in said.items()} if "\0" in "".join(said) else said


def _clean(text: str) -> str:
    """Return storable text. Protobuf's strings are UTF-8, so of what is refused only NUL can be."""
    return text.replace("\0", REPLACEMENT)


def _read_value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return _READERS[kind](value) if kind in _READERS else None


_READERS: dict[str | None, Callable[[AnyValue], object]] = {
    "string_value": lambda value: _clean(value.string_value),
    "bool_value": lambda value: value.bool_value,
    "int_value": lambda value: value.int_value,
    "double_value": lambda value: fit_float(value.double_value),
    "bytes_value": lambda value: base64.b64encode(value.bytes_value).decode(),
    "array_value": lambda value: [_read_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: _clean_keys(_read_attributes(value.kvlist_value.values)),
}
