"""Helper spans: signs of life of runs that go on, and pointers that a run's own span cannot hold.

Each is a child of the span of the run that it is about.
"""

from mltrace_exporter.decode.fields import get_text, take_count, take_duration
from mltrace_exporter.decode.identity import read_id
from mltrace_exporter.decode.pointers import read_io
from mltrace_exporter.decode.runs import read_run
from mltrace_exporter.decode.spans import Span, Unreadable
from mltrace_exporter.model import IoPart, Marker, SpanId
from mltrace_otel.contract import attributes as names

_ALIVE_LIMIT_S = 1e9
_POSITION_LIMIT = 2**30
_ABORTED = "aborted"


def read_marker(span: Span) -> Marker:
    """Return the sign of life that a span gives.

    Raises:
        Unreadable: it names no run.
    """
    _read_ids(span)
    said = dict(span.attributes)
    state = get_text(said, names.RUN_STATE)
    alive_s = take_duration(said, names.RUN_ALIVE, _ALIVE_LIMIT_S) or 0.0
    for key in (names.RECORD, names.RUN_STATE):
        said.pop(key, None)
    run = read_run(
        span._replace(
            span_id=span.parent_span_id,
            parent_span_id=b"",
            end_time_ns=span.start_time_ns + round(alive_s * 1e9),
            failed=False,
            attributes=said,
            events=[],
        )
    )
    known = run._replace(
        execution=_ABORTED if state == _ABORTED else "running",
        io=tuple(io for io in run.io if io.direction == "input"),
    )
    return Marker(span.span_id, known)


def read_part(span: Span) -> IoPart:
    """Return the pointers that a span carries for a run.

    Raises:
        Unreadable: it names no run.
    """
    id_, run = _read_ids(span)
    said = dict(span.attributes)
    offset = take_count(said, names.IO_OFFSET, _POSITION_LIMIT) or 0
    return IoPart(id_, run, offset, read_io(span, said, run))


def _read_ids(span: Span) -> tuple[SpanId, SpanId]:
    """Return the identity of the span and of its run."""
    id_, run = (read_id(span.trace_id, span_id) for span_id in (span.span_id, span.parent_span_id))
    if id_ is None or run is None:
        raise Unreadable("It has no valid id, or none of the run that it is about.")
    return id_, run
