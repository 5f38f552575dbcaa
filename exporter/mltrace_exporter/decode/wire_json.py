"""OTLP in JSON: bytes in, spans out.

The JSON is read as it is: protobuf's own JSON reader takes thirteen times as long and refuses a
whole request for one lone surrogate. Unknown fields are ignored, null means absent.
Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mltrace_exporter.decode.spans import (
    Attributes,
    Event,
    Link,
    Span,
    Spoilt,
    fit_float,
    fit_int,
    make_storable,
)
from mltrace_exporter.errors import MalformedRequest
from mltrace_otel.contract.attributes import COMPONENT_NAME

_STATUS_CODE_ERROR = 2
_TYPES: dict[object, str] = {dict: "an object", list: "a list", str: "a string"}

T = TypeVar("T", dict[str, Any], list[Any], str)

Object = dict[str, Any]


def read_json(body: bytes) -> Iterator[Span | Spoilt | None]:
    """Yield the spans of an ``ExportTraceServiceRequest`` in JSON; an empty body holds none.

    For a span that names no component, which is of no interest here, None is yielded. One bad span
    does not cost the others.

    Raises:
        MalformedRequest: the bytes are no JSON, or what holds the spans is no OTLP.
    """
    request = _parse(body) if body else {}
    for group in _objects(request, "resourceSpans"):
        resource = _read_attributes(_get(group, "resource", dict))
        for scope in _objects(group, "scopeSpans"):
            for span in _objects(scope, "spans"):
                yield _try_span(span, resource)


def write_json(source: object) -> bytes:
    """Return the bytes of a span's source."""
    return json.dumps(source).encode()


def _try_span(span: Object, resource: Attributes) -> Span | Spoilt | None:
    try:
        return _read_span(span, resource)
    except MalformedRequest as error:
        return Spoilt(str(error), write_json(span))
    except RecursionError:
        return Spoilt("Its values are nested too deeply.", b"")


def _parse(body: bytes) -> Object:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The body is no JSON: {error}") from None
    if not isinstance(request, dict):
        raise MalformedRequest("The body is no OTLP trace request: it must be a JSON object.")
    return request


def _read_span(span: Object, resource: Attributes) -> Span | None:
    attributes = _read_attributes(span)
    if COMPONENT_NAME not in attributes:
        return None
    status = _get(span, "status", dict)
    return Span(
        trace_id=_read_id(span, "traceId"),
        span_id=_read_id(span, "spanId"),
        parent_span_id=_read_id(span, "parentSpanId"),
        start_time_ns=_read_int(span.get("startTimeUnixNano") or 0),
        end_time_ns=_read_int(span.get("endTimeUnixNano") or 0),
        failed=_read_int(status.get("code") or 0) == _STATUS_CODE_ERROR,
        status_message=make_storable(_get(status, "message", str)),
        attributes=attributes,
        events=[
            Event(make_storable(_get(event, "name", str)), _read_attributes(event))
            for event in _objects(span, "events")
        ],
        links=[
            Link(_read_id(link, "traceId"), _read_id(link, "spanId"), _read_attributes(link))
            for link in _objects(span, "links")
        ],
        resource=resource,
        source=span,
    )


def _read_attributes(parent: Object, field: str = "attributes") -> dict[str, object]:
    return {
        make_storable(_get(pair, "key", str)): _read_value(_get(pair, "value", dict))
        for pair in _objects(parent, field)
    }


def _read_value(value: Object) -> object:
    for kind, content in value.items():
        if content is not None and kind in _READERS:
            return _READERS[kind](value)
    return None


_READERS: dict[str, Callable[[Object], object]] = {
    "stringValue": lambda value: make_storable(_get(value, "stringValue", str)),
    "boolValue": lambda value: bool(value["boolValue"]),
    "intValue": lambda value: fit_int(_read_int(value["intValue"])),
    "doubleValue": lambda value: fit_float(_read_float(value["doubleValue"])),
    "bytesValue": lambda value: make_storable(_get(value, "bytesValue", str)),
    "arrayValue": lambda value: [
        _read_value(item) for item in _objects(_get(value, "arrayValue", dict), "values")
    ],
    "kvlistValue": lambda value: _read_attributes(_get(value, "kvlistValue", dict), "values"),
}


def _read_id(parent: Object, field: str) -> bytes:
    """Return the id's bytes, or none where it is no hex: that spoils one span, not the request."""
    try:
        return bytes.fromhex(_get(parent, field, str))
    except ValueError:
        return b""


def _read_int(value: Any) -> int:  # noqa: ANN401 - what int() refuses is caught
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise MalformedRequest(f"{_show(value)} stands where OTLP has an integer.") from None


def _read_float(value: Any) -> float:  # noqa: ANN401 - what float() refuses is caught
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise MalformedRequest(f"{_show(value)} stands where OTLP has a number.") from None


def _objects(parent: Object, field: str) -> list[Object]:
    items: list[Object] = _get(parent, field, list)
    if not all(isinstance(item, dict) for item in items):
        raise MalformedRequest(f"The list {field} must hold objects.")
    return items


def _get(parent: Object, field: str, type_: type[T]) -> T:
    value = parent.get(field)
    if value is None:
        return type_()
    if not isinstance(value, type_):
        raise MalformedRequest(f"The field {field} must be {_TYPES[type_]}.")
    return value


def _show(value: object) -> str:
    return make_storable(repr(value)[:80])
