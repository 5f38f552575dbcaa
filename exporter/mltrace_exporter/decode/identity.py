"""Who and when: ids and times of spans, as the wire gives them, to values that can be stored."""

from datetime import UTC, datetime, timedelta

from mltrace_exporter.decode.spans import Span, Unreadable
from mltrace_exporter.model import SpanId

_TIME_LIMIT_NS = 2**64
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_id(trace_id: bytes, span_id: bytes) -> SpanId | None:
    """Return the identity, or None if the ids are none: of another length, or all zeros."""
    if len(trace_id) == _TRACE_ID_BYTES and any(trace_id) and is_span_id(span_id):
        return SpanId(trace_id, span_id)
    return None


def is_span_id(span_id: bytes) -> bool:
    """Say whether the bytes are the id of a span."""
    return len(span_id) == _SPAN_ID_BYTES and any(span_id)


def read_times(span: Span) -> tuple[datetime, datetime]:
    """Return start and end; one that is missing is the other, and no end is before its start.

    Raises:
        Unreadable: neither is a time.
    """
    start_ns = span.start_time_ns or span.end_time_ns
    end_ns = max(span.end_time_ns, start_ns)
    if not 0 < start_ns <= end_ns < _TIME_LIMIT_NS:
        raise Unreadable("Its times are missing, or no times.")
    return _read_time(start_ns), _read_time(end_ns)


def _read_time(time_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_ns // 1000)
