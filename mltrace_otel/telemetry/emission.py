"""Runs as spans of our own, which the program's settings can neither truncate nor leave out.

In: runs. Out: finished spans, serialised and handed to the sender. Parents are the program's
current spans, so a run joins the user's trace; it is sampled always.
"""

import os
import socket
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from opentelemetry import context, trace
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import Attributes, OTELResourceDetector, Resource

from mltrace_otel.contract import attributes as key
from mltrace_otel.datatests import describe_error, name_class, shorten
from mltrace_otel.delivery.markers import MARKERS
from mltrace_otel.delivery.sender import SENDER
from mltrace_otel.notices import log
from mltrace_otel.runs import ComponentRun
from mltrace_otel.telemetry import wire
from mltrace_otel.telemetry.providers import get_tracer, put_on
from mltrace_otel.telemetry.spans import RunSpan

_STACKTRACE_LIMIT = 64 * 1024
_FRAMES = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_here = threading.local()


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the runs of this process come from.

    Attributes:
        resource: that, encoded.
        is_disabled: whether OTEL_SDK_DISABLED says that nothing is to be recorded.
    """

    resource: bytes
    is_disabled: bool


@cache
def _get_origin() -> _Origin:
    is_disabled = os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true"
    if is_disabled:
        log.warning("Component runs are not recorded, as %s says.", OTEL_SDK_DISABLED)
    return _Origin(wire.encode_resource(_detect_resource()), is_disabled)


def _detect_resource() -> Resource:
    own: Attributes = {key.HOST_NAME: socket.gethostname(), key.PROCESS_PID: os.getpid()}
    if getattr(_here, "is_detecting", False):
        # A signal's handler in the middle of the first run: the SDK's pool of threads is locked.
        return Resource(own).merge(OTELResourceDetector().detect())
    _here.is_detecting = True
    try:
        return Resource.create(own)
    finally:
        _here.is_detecting = False


# A forked child is another process on the same host: its resource must say so.
os.register_at_fork(after_in_child=_get_origin.cache_clear)


def start_span(name: str, start_time_ns: int | None = None) -> trace.Span:
    """Begin a run's span, now if nothing else is said; it is not made current."""
    if _get_origin().is_disabled:
        return trace.INVALID_SPAN
    tracer = get_tracer()
    if tracer:
        return tracer.start_span(name, start_time=start_time_ns)
    return RunSpan(name, start_time_ns)


def make_current(span: trace.Span) -> context.Context:
    """Return a context in which a run's span is the parent of what comes.

    A run is sampled always; what the program left out of its own sample stays out.
    """
    outer = trace.get_current_span().get_span_context()
    if not outer.is_valid or outer.trace_flags.sampled:
        return trace.set_span_in_context(span)
    own = span.get_span_context()
    unsampled = trace.SpanContext(own.trace_id, own.span_id, is_remote=False)
    return trace.set_span_in_context(trace.NonRecordingSpan(unsampled))


def announce(span: trace.Span, run: ComponentRun, common: Callable[[], bytes]) -> None:
    """Let a run be seen before its end, if it lasts; and be told as aborted, if we die in it.

    Args:
        span: its span, which has begun.
        run: what it read; more may be added meanwhile.
        common: returns attributes that all runs of the function have; called only if it lasts.
    """
    if not isinstance(span, RunSpan):  # under OTEL_SDK_DISABLED
        return

    def make(state: str, alive_s: float) -> bytes:
        resource = _get_origin().resource
        return wire.encode_marker(run, span, common(), resource, state=state, alive_s=alive_s)

    MARKERS.begin(span, make)


def finish_span(
    span: trace.Span,
    run: ComponentRun,
    *,
    common: bytes,
    end_time_ns: int | None = None,
    error: BaseException | None = None,
) -> None:
    """End a run's span and hand the run to the sender.

    Args:
        span: the span.
        run: what the run read, wrote and found.
        common: attributes that all runs of the function have, by `wire.encode_attributes`.
        end_time_ns: when it ended, in nanoseconds since 1970; now if nothing is said.
        error: what it raised.
    """
    resource = _get_origin().resource
    failure = None if error is None else _describe_failure(error)
    if isinstance(span, RunSpan):
        try:
            finished = span.finish(end_time_ns)
            for record in wire.encode_run(run, finished, failure, common, resource):
                SENDER.submit(record)
        finally:
            MARKERS.end(span)
    elif span.is_recording():  # the program's own; it is none under OTEL_SDK_DISABLED
        copy = RunSpan(run.component_name, identity=span.get_span_context()).finish(end_time_ns)
        put_on(span, wire.encode_run(run, copy, failure, common, resource), end_time_ns)


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
    component_run.tidy()
    component_run.infers_dependencies = set_dependencies_from_inputs
    if staleness_threshold is not None:
        component_run.staleness_threshold_s = staleness_threshold
    name = component_run.component_name
    finish_span(
        start_span(name, _to_ns(component_run.start_timestamp)),
        component_run,
        common=wire.encode_attributes({key.COMPONENT_NAME: name}),
        end_time_ns=_to_ns(component_run.end_timestamp),
    )


def flush(timeout_s: float = 30.0) -> bool:
    """Wait until the server acknowledged every finished run.

    Returns:
        False if it did not within ``timeout_s``, or if runs were lost since the last flush.
    """
    return SENDER.flush(timeout_s)


def _describe_failure(error: BaseException) -> wire.Failure:
    module, name = name_class(error)
    summary = describe_error(error)
    return wire.Failure(
        type=name if module == "builtins" else f"{module}.{name}",
        message=summary.removeprefix(name.rpartition(".")[2]).removeprefix(": "),
        summary=summary,
        stacktrace=shorten(_format_stack(error), _STACKTRACE_LIMIT),
    )


def _format_stack(error: BaseException) -> str:
    """Return the innermost frames: recursion would else take its depth squared to be told of."""
    try:
        return "".join(traceback.format_exception(error, limit=-_FRAMES))
    except BaseException:  # noqa: BLE001 - an exception's own __str__ may be broken
        return "".join(traceback.format_tb(error.__traceback__, limit=-_FRAMES))


def _to_ns(when: datetime | None) -> int | None:
    if when is None:
        return None
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1000
