"""Runs as spans, by a tracer provider of our own that the program's settings cannot truncate.

In: runs. Out: finished spans, serialised and handed to the sender. Parents are the program's
current spans, so a run joins the user's trace; it is sampled always.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from mltrace_otel import wire
from mltrace_otel.contract import attributes as key
from mltrace_otel.datatests import describe_error
from mltrace_otel.runs import ComponentRun
from mltrace_otel.sender import SENDER

_MANY = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _ToSender(SpanProcessor):
    """Serialises each finished span and hands it on."""

    def on_end(self, span: ReadableSpan) -> None:
        SENDER.submit(encode_spans([span]).SerializeToString())


@cache
def get_tracer() -> trace.Tracer:
    """Return the tracer of component runs. The program's own provider is left alone."""
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource.create(
            {key.HOST_NAME: socket.gethostname(), key.PROCESS_PID: os.getpid()}
        ),
        shutdown_on_exit=False,
        # Explicit limits beat the program's OTEL_*_LIMIT variables, which would cut names of files.
        span_limits=SpanLimits(
            max_span_attributes=_MANY,
            max_events=_MANY,
            max_links=_MANY,
            max_event_attributes=_MANY,
            max_link_attributes=_MANY,
            max_attribute_length=SpanLimits.UNSET,
            max_span_attribute_length=SpanLimits.UNSET,
        ),
    )
    provider.add_span_processor(_ToSender())
    return provider.get_tracer("mltrace_otel")


# A forked child is another process on the same host: its resource must say so.
os.register_at_fork(after_in_child=get_tracer.cache_clear)


@contextmanager
def open_span(name: str, attributes: Mapping[str, wire.Value]) -> Iterator[trace.Span]:
    """Begin a span that is current until the block ends; the block ends it."""
    span = get_tracer().start_span(name, attributes=attributes)
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield span
    finally:
        context.detach(token)


def finish_span(span: trace.Span, run: ComponentRun, error: BaseException | None) -> None:
    """Put onto a span what its run read, wrote and found, and end it."""
    span.set_attributes(wire.describe_run(run))
    for link in wire.make_links(run):
        span.add_link(link.context, link.attributes)
    for outcome in run.test_outcomes:
        span.add_event(key.TEST_EVENT, wire.describe_test(outcome))
    if error is not None:
        span.set_attribute(key.ERROR_TYPE, type(error).__qualname__)
        span.record_exception(error)
        span.set_status(trace.StatusCode.ERROR, describe_error(error))
    span.end(_to_ns(run.end_timestamp))


def log_component_run(
    component_run: ComponentRun,
    set_dependencies_from_inputs: bool = True,  # noqa: FBT001, FBT002 - documented so
    staleness_threshold: float | None = None,
) -> None:
    """Record a run that was built by hand. Times that were not said are now.

    Args:
        component_run: the run.
        set_dependencies_from_inputs: whether it depends on the runs that wrote its inputs; if not,
            only `ComponentRun.set_upstream` says what it depends on.
        staleness_threshold: age in seconds above which an input makes the run stale.
    """
    component_run.infers_dependencies = set_dependencies_from_inputs
    if staleness_threshold is not None:
        component_run.staleness_threshold_s = staleness_threshold
    span = get_tracer().start_span(
        component_run.component_name,
        attributes={key.COMPONENT_NAME: component_run.component_name},
        start_time=_to_ns(component_run.start_timestamp),
    )
    finish_span(span, component_run, None)


def flush(timeout_s: float = 30.0) -> bool:
    """Wait until the server acknowledged every finished run; False if it did not in time."""
    return SENDER.flush(timeout_s)


def _to_ns(when: datetime | None) -> int | None:
    if when is None:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000
