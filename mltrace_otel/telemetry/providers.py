"""Runs through the program's own tracer provider, where it asked for that.

In: a run as it would be sent. Out: the same on a span of that provider, whose sampling, limits,
processors and exporters are then the run's.
"""

from collections.abc import Iterable

from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.trace import SpanContext, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util.types import AttributeValue

_chosen: dict[str, Tracer] = {}


def configure(*, tracer_provider: TracerProvider | None = None) -> None:
    """Let runs be spans of the program's own tracer provider from now on.

    Its sampler, limits and exporters then decide what arrives: nothing is kept for later, and runs
    that go on are not announced. Without a provider runs go their own way again.

    Args:
        tracer_provider: the provider, e.g. ``opentelemetry.trace.get_tracer_provider()``.
    """
    _chosen.clear()
    if tracer_provider is not None:
        _chosen["tracer"] = tracer_provider.get_tracer("mltrace_otel")


def get_tracer() -> Tracer | None:
    """Return what makes the spans of runs, if the program chose it."""
    return _chosen.get("tracer")


def put_on(span: trace.Span, records: Iterable[bytes], end_time_ns: int | None) -> None:
    """Put a run on a span of the program's provider, and end it.

    Args:
        span: the span.
        records: what `wire.encode_run` made of the run.
        end_time_ns: when the run ended, in nanoseconds since 1970; now if nothing is said.
    """
    *children, own = [_read_span(record) for record in records]
    tracer = get_tracer() or trace.NoOpTracer()
    within = trace.set_span_in_context(span)
    for message in children:
        started = message.start_time_unix_nano
        child = tracer.start_span(message.name, context=within, start_time=started)
        _put(child, message)
        child.end(message.end_time_unix_nano)
    _put(span, own)
    span.end(end_time_ns)


def _read_span(record: bytes) -> trace_pb2.Span:
    request = ExportTraceServiceRequest.FromString(record)
    return request.resource_spans[0].scope_spans[0].spans[0]


def _put(span: trace.Span, message: trace_pb2.Span) -> None:
    span.set_attributes(_read_attributes(message.attributes))
    for link in message.links:
        trace_id, span_id = int.from_bytes(link.trace_id), int.from_bytes(link.span_id)
        is_remote = bool(link.flags & trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
        span.add_link(
            SpanContext(trace_id, span_id, is_remote=is_remote), _read_attributes(link.attributes)
        )
    for event in message.events:
        span.add_event(event.name, _read_attributes(event.attributes), event.time_unix_nano)
    if message.status.code == trace_pb2.Status.STATUS_CODE_ERROR:
        span.set_status(Status(StatusCode.ERROR, message.status.message))


def _read_attributes(pairs: Iterable[KeyValue]) -> dict[str, AttributeValue]:
    return {pair.key: _read_value(pair.value) for pair in pairs}


def _read_value(value: AnyValue) -> AttributeValue:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [each.string_value for each in value.array_value.values]
    found: AttributeValue = getattr(value, kind or "string_value")
    return found
