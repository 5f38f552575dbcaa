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

# Names are not for senders to write, and harmless to read.
_STATUS_CODE_ERROR = (2, "2", "STATUS_CODE_ERROR")
# Protobuf nests 100 messages, of which a list in a list takes two.
_NESTED_LISTS = 47
_TYPES: dict[object, str] = {dict: "an object", list: "a list", str: "a string"}

T = TypeVar("T", dict[str, Any], list[Any], str)

Object = dict[str, Any]


def read_json(body: bytes) -> Iterator[Span | Spoilt | None]:
    """Yield the spans of an ``ExportTraceServiceRequest`` in JSON; an empty body holds none.

    For a span that names no component, which is of no interest here, None is yielded. One bad span
    does not cost the others, nor does what spans are in, or where they ran.

    Raises:
        MalformedRequest: the bytes are no JSON, or no OTLP.
    """
    request = _parse(body) if body else {}
    for group in _get(request, "resourceSpans", list):
        yield from _try(_read_group, group)


def write_json(source: object) -> bytes:
    """Return the bytes of a span's source; none if it is nested too deeply to be written."""
    try:
        return json.dumps(source).encode()
    except RecursionError:
        return b""


def _try(
    read: Callable[..., Iterator[Span | Spoilt | None]], item: object, *rest: Attributes
) -> Iterator[Span | Spoilt | None]:
    if not isinstance(item, dict):
        yield Spoilt(f"{_show(item)} stands where OTLP has an object.", write_json(item))
        return
    try:
        yield from read(item, *rest)
    except MalformedRequest as error:
        yield Spoilt(str(error), write_json(item))


def _read_group(group: Object) -> Iterator[Span | Spoilt | None]:
    try:
        resource = _read_attributes(_get(group, "resource", dict))
    except MalformedRequest:
        # Where they ran is not worth the runs.
        resource = {}
    for scope in _get(group, "scopeSpans", list):
        yield from _try(_read_scope, scope, resource)


def _read_scope(scope: Object, resource: Attributes) -> Iterator[Span | Spoilt | None]:
    for span in _get(scope, "spans", list):
        yield from _try(_read_span, span, resource)


def _parse(body: bytes) -> Object:
    try:
        request = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"The body is no JSON: {error}") from None
    if not isinstance(request, dict):
        raise MalformedRequest("The body is no OTLP trace request: it must be a JSON object.")
    return request


def _read_span(span: Object, resource: Attributes) -> Iterator[Span | None]:
    attributes = _read_attributes(span)
    if COMPONENT_NAME not in attributes:
        yield None
        return
    status = _get(span, "status", dict)
    yield Span(
        trace_id=_read_id(span, "traceId"),
        span_id=_read_id(span, "spanId"),
        parent_span_id=_read_id(span, "parentSpanId"),
        start_time_ns=_read_int(span.get("startTimeUnixNano") or 0),
        end_time_ns=_read_int(span.get("endTimeUnixNano") or 0),
        failed=status.get("code") in _STATUS_CODE_ERROR,
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


def _read_attributes(
    parent: Object, field: str = "attributes", room: int = _NESTED_LISTS
) -> dict[str, object]:
    return {
        make_storable(_get(pair, "key", str)): _read_value(_get(pair, "value", dict), room)
        for pair in _objects(parent, field)
    }


def _read_value(value: Object, room: int) -> object:
    """Read a value in which others may be nested, as many as there is room for."""
    if room < 0:
        raise MalformedRequest("Its values are nested too deeply.")
    for kind, content in value.items():
        if content is not None and kind in _READERS:
            return _READERS[kind](value, room - 1)
    return None


_READERS: dict[str, Callable[[Object, int], object]] = {
    "stringValue": lambda value, _: make_storable(_get(value, "stringValue", str)),
    "boolValue": lambda value, _: value["boolValue"] in (True, "true"),
    "intValue": lambda value, _: fit_int(_read_int(value["intValue"])),
    "doubleValue": lambda value, _: fit_float(_read_float(value["doubleValue"])),
    "bytesValue": lambda value, _: make_storable(_get(value, "bytesValue", str)),
    "arrayValue": lambda value, room: [
        _read_value(item, room) for item in _objects(_get(value, "arrayValue", dict), "values")
    ],
    "kvlistValue": lambda value, room: _read_attributes(
        _get(value, "kvlistValue", dict), "values", room
    ),
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
