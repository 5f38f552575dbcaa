"""The spans of runs. In: a name and where it runs. Out: ids, times and what the program adds.

A run's span needs ids and two times; the SDK's span, which costs as much as all the rest of a short
run, is made once the program itself puts something on it.
"""

import os
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.sdk.trace import Span, SpanLimits
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes, AttributeValue

_MANY = 1_000_000
# Explicit limits beat the program's OTEL_*_LIMIT variables, which would cut names of files.
_LIMITS = SpanLimits(
    max_span_attributes=_MANY,
    max_events=_MANY,
    max_links=_MANY,
    max_event_attributes=_MANY,
    max_link_attributes=_MANY,
    max_attribute_length=SpanLimits.UNSET,
    max_span_attribute_length=SpanLimits.UNSET,
)
_LONGEST_SPAN_ID = (1 << 64) - 1
_RANDOM_TRACE_ID = 2


class Details(Span):
    """What the program put on a run's span, as the SDK keeps it."""


class RunSpan(trace.Span):
    """A run's span. The program may put on it what it likes, but cannot end it.

    Args:
        name: name of the run's component.
        start_time_ns: when the run began, in nanoseconds since 1970; now if nothing is said.
        identity: whose span it is; that of a new child of the program's span if nothing is said.

    Attributes:
        parent: the program's span that the run is in.
        start_time: when it began, in nanoseconds since 1970.
        end_time: when it ended; None before.
        details: what the program put on it.
    """

    __slots__ = ("_context", "_name", "details", "end_time", "parent", "start_time")

    def __init__(
        self, name: str, start_time_ns: int | None = None, identity: SpanContext | None = None
    ) -> None:
        outer = trace.get_current_span().get_span_context()
        self._name = name
        self._context = identity or _identify(outer)
        self.parent = outer if outer.is_valid else None
        self.start_time = start_time_ns or time.time_ns()
        self.end_time: int | None = None
        self.details: Details | None = None

    @property
    def name(self) -> str:
        """Name of the span."""
        return self.details.name if self.details else self._name

    def finish(self, end_time_ns: int | None) -> "AnySpan":
        """End it and return what it says: itself if the program put nothing on it."""
        self.end_time = end_time_ns or time.time_ns()
        if self.details is None:
            return self
        self.details.end(self.end_time)
        return self.details

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: the run ends when its function does."""

    def get_span_context(self) -> SpanContext:
        """Return its identity."""
        return self._context

    def is_recording(self) -> bool:
        """Tell whether the run goes on."""
        return self.end_time is None

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Put attributes on it."""
        self._detail().set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Put an attribute on it."""
        self._detail().set_attribute(key, value)

    def add_event(
        self, name: str, attributes: Attributes = None, timestamp: int | None = None
    ) -> None:
        """Put an event on it."""
        self._detail().add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Put a link on it."""
        self._detail().add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Rename it; the run's component keeps its name."""
        self._detail().update_name(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went."""
        self._detail().set_status(status, description)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - as in OpenTelemetry
    ) -> None:
        """Put an exception on it as an event."""
        self._detail().record_exception(exception, attributes, timestamp, escaped)

    def _detail(self) -> trace.Span:
        if self.end_time is not None and self.details is None:
            return trace.INVALID_SPAN  # too late
        if self.details is None:
            details = Details(self._name, self._context, self.parent, limits=_LIMITS)
            details.start(self.start_time)
            self.details = details
        return self.details


def _identify(outer: SpanContext) -> SpanContext:
    """Return a new identity in the trace of ``outer``, if that is one; sampled always."""
    # Not from `random`: a program that seeds it would give its runs the same ids each time.
    random = int.from_bytes(os.urandom(24))
    span_id = (random & _LONGEST_SPAN_ID) or 1
    if not outer.is_valid:
        flags = TraceFlags(TraceFlags.SAMPLED | _RANDOM_TRACE_ID)
        return SpanContext((random >> 64) or 1, span_id, is_remote=False, trace_flags=flags)
    flags = TraceFlags(TraceFlags.SAMPLED | outer.trace_flags & _RANDOM_TRACE_ID)
    return SpanContext(outer.trace_id, span_id, False, flags, outer.trace_state)  # noqa: FBT003


AnySpan = Span | RunSpan
