"""Component runs in the wire format. In: a run, its span, what is known of its code. Out: requests.

The span knows its ids, its parent and what the program put on it; the run knows the rest. What all
runs of a decorated function say alike is encoded once, and its bytes are appended to each.
Keys and meanings: `mltrace_otel.contract.attributes`. A message's bytes may be joined to another's.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import SpanContext

from mltrace_otel.contract import attributes as key
from mltrace_otel.contract.outcomes import TestOutcome
from mltrace_otel.provenance import Repository, Source
from mltrace_otel.runs import ComponentRun, Measurement, VariableProfile
from mltrace_otel.telemetry.links import Share, make_links, share_out
from mltrace_otel.telemetry.otlp import (
    EVENT_ATTRIBUTES,
    RESOURCE_ATTRIBUTES,
    SPAN_ATTRIBUTES,
    Attributes,
    Value,
    encode_text,
    pack,
)
from mltrace_otel.telemetry.otlp import encode_attributes as encode
from mltrace_otel.telemetry.spans import AnySpan

PROFILES_LIMIT_BYTES = 600_000
PROFILE_LIMIT_BYTES = 250_000
"""Size of all profiles of a run, and of one, above which columns are left out."""

SPAN_LIMIT_BYTES = 1_000_000
"""Size of a span above which the run's other pointers go onto spans of their own."""

_METRICS_LIMIT = 1000

# Protobuf's tags of fields: number and kind of what follows.
_RESOURCE_SPANS = b"\x0a"
_RESOURCE = b"\x0a"
_RESOURCE_SCHEMA = b"\x1a"
_SCOPE_SPANS = b"\x12"
_SPAN = b"\x12"
_EVENT = b"\x5a"
_STATUS = b"\x7a"

# Whole fields: the scope, a span's kind, its status, whether its parent is of another process.
_SCOPE = pack(b"\x0a", pack(b"\x0a", b"mltrace_otel"))
_INTERNAL = b"\x30\x01"
_ERROR = b"\x18\x02"
_FLAGS = (b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00")
_TIMES = struct.Struct("<BQBQ")


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception that ended a run; ``summary`` is what a status line says of it."""

    type: str
    message: str
    summary: str
    stacktrace: str


def describe_component(
    name: str, owner: str, description: str, tags: Sequence[str]
) -> dict[str, Value | None]:
    """Return what a run says about its component."""
    return {
        key.COMPONENT_NAME: name,
        key.COMPONENT_OWNER: owner,
        key.COMPONENT_DESCRIPTION: description,
        key.COMPONENT_TAGS: tags,
    }


def describe_code(source: Source, repository: Repository | None) -> dict[str, Value | None]:
    """Return what a run says about its function and the repository that holds it."""
    said: dict[str, Value | None] = {
        key.CODE_FUNCTION_NAME: source.function,
        key.CODE_FILE_PATH: source.file,
        key.CODE_LINE_NUMBER: source.line,
        key.CODE_SNAPSHOT: source.text,
    }
    if repository:
        said |= {
            key.VCS_REVISION: repository.revision,
            key.VCS_REF: repository.branch,
            key.VCS_REPOSITORY: repository.url,
            key.VCS_TAGS: repository.tags,
            key.VCS_DIRTY: repository.dirty,
        }
    return said


def encode_attributes(attributes: Attributes) -> bytes:
    """Return attributes as the bytes of a span that has nothing else."""
    return encode(attributes, SPAN_ATTRIBUTES)


def encode_resource(resource: Resource) -> bytes:
    """Return where runs come from as the bytes of a request's part that has no span yet."""
    known = {k: v for k, v in resource.attributes.items() if isinstance(v, str | int | float)}
    encoded = pack(_RESOURCE, encode(known, RESOURCE_ATTRIBUTES))
    return encoded + pack(_RESOURCE_SCHEMA, encode_text(resource.schema_url))


def encode_run(
    run: ComponentRun, span: AnySpan, failure: Failure | None, common: bytes, resource: bytes
) -> list[bytes]:
    """Return the requests that hold one run, to be sent in this order.

    Mostly it is one. A run whose span would pass `SPAN_LIMIT_BYTES` has the rest of its pointers
    on child spans; these come first, so that where the run is known, they are.

    Args:
        run: what it read, wrote and found.
        span: its span, ended.
        failure: how it failed; None if it did not.
        common: what `encode_attributes` made of what all runs of the function say.
        resource: what `encode_resource` made of the provider's resource.
    """
    message = (
        _encode_span(span)
        + common
        + encode_attributes(_describe_run(run, failure))
        + b"".join([_encode_outcome(span, outcome) for outcome in run.test_outcomes])
        + b"".join(_encode_profiles(span, run.profiles))
        + b"".join([_encode_metric(span, metric) for metric in run.metrics[-_METRICS_LIMIT:]])
        + (_encode_failure(span, failure) if failure else b"")
    )
    own = span.get_span_context()
    links = [*make_links("input", run.inputs, own), *make_links("output", run.outputs, own)]
    first, *others = share_out(links, len(message), SPAN_LIMIT_BYTES)
    children = [_encode_io(run, span, share) for share in others]
    last = b"".join((message, *first.links))
    return [_encode_request(part, resource) for part in (*children, last)]


def encode_marker(  # noqa: PLR0913 - what `encode_run` takes, and what is known of its life
    run: ComponentRun, span: AnySpan, common: bytes, resource: bytes, *, state: str, alive_s: float
) -> bytes:
    """Return a request that announces a run that goes on, or was cut short.

    It has as many of the inputs known so far as one span holds. May be called while the run goes on
    in another thread.

    Args:
        run: what is known of it so far.
        span: its span.
        common: as for `encode_run`.
        resource: as for `encode_run`.
        state: ``running`` or ``aborted``.
        alive_s: seconds from its start to now.
    """
    own = span.get_span_context()
    told: Attributes = {
        **_describe_run(run, None),
        key.RECORD: key.RECORD_START,
        key.RUN_STATE: state,
        key.RUN_ALIVE: alive_s,
    }
    message = _encode_child(span, told) + common
    links = make_links("input", list(run.inputs), own)
    first, *_ = share_out(links, len(message), SPAN_LIMIT_BYTES)
    return _encode_request(b"".join((message, *first.links)), resource)


def _encode_io(run: ComponentRun, span: AnySpan, share: Share) -> bytes:
    told: Attributes = {
        key.COMPONENT_NAME: run.component_name,
        key.RECORD: key.RECORD_IO,
        key.IO_OFFSET: share.offset,
    }
    return b"".join((_encode_child(span, told), *share.links))


def _encode_child(span: AnySpan, attributes: Attributes) -> bytes:
    """Return a span without length under the run's, at the run's start."""
    own, start_ns = span.get_span_context(), span.start_time or 0
    head = _encode_head(own, os.urandom(8), own, span.name)
    return head + _TIMES.pack(0x39, start_ns, 0x41, start_ns) + encode_attributes(attributes)


def _encode_request(message: bytes, resource: bytes) -> bytes:
    return pack(_RESOURCE_SPANS, resource + pack(_SCOPE_SPANS, _SCOPE + pack(_SPAN, message)))


def _encode_span(span: AnySpan) -> bytes:
    if isinstance(span, Span) and (
        span.attributes or span.events or span.links or not span.status.is_unset
    ):
        # The program added something of its own, and the SDK's encoder knows whatever that may be.
        return encode_spans([span]).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    own = span.get_span_context()
    head = _encode_head(own, own.span_id.to_bytes(8, "big"), span.parent, span.name)
    return head + _TIMES.pack(0x39, span.start_time or 0, 0x41, span.end_time or 0)


def _encode_head(own: SpanContext, span_id: bytes, parent: SpanContext | None, name: str) -> bytes:
    """Return the fields that say which span it is: its ids, parent, name, kind and flags."""
    head = b"\x0a\x10" + own.trace_id.to_bytes(16, "big") + b"\x12\x08" + span_id
    if own.trace_state:
        head += pack(b"\x1a", own.trace_state.to_header().encode())
    if parent:
        head += b"\x22\x08" + parent.span_id.to_bytes(8, "big")
    flags = _FLAGS[bool(parent and parent.is_remote)]
    return head + pack(b"\x2a", encode_text(name)) + _INTERNAL + flags


def _describe_run(run: ComponentRun, failure: Failure | None) -> Attributes:
    return {
        key.RUN_NOTES: run.notes,
        key.RUN_STALENESS_THRESHOLD: run.staleness_threshold_s,
        key.RUN_UPSTREAM: run.upstream,
        key.RUN_INFERS_DEPENDENCIES: None if run.infers_dependencies else False,
        key.RUN_PARTITION: run.partition,
        key.VCS_REVISION: run.git_hash,
        key.VCS_TAGS: run.git_tags,
        key.CODE_SNAPSHOT: run.code_snapshot,
        key.ERROR_TYPE: failure.type if failure else None,
    }


def _encode_outcome(span: AnySpan, outcome: TestOutcome) -> bytes:
    """Return what a test found, at the run's start or end, whichever its phase is about."""
    before = outcome.phase == "before"
    said: Attributes = {
        key.TEST_SUITE: outcome.suite,
        key.TEST_CASE: outcome.case,
        key.TEST_STATUS: outcome.status,
        key.TEST_PHASE: outcome.phase,
        key.TEST_MESSAGE: outcome.message,
        key.TEST_DURATION: outcome.duration_s,
    }
    return _encode_event(key.TEST_EVENT, span.start_time if before else span.end_time, said)


def _encode_profiles(span: AnySpan, profiles: Sequence[VariableProfile]) -> Iterator[bytes]:
    """Yield how variables were distributed; columns for which there is no room are left out."""
    if not profiles:
        return
    # Most runs have none, and need not wait for what writes them.
    from mltrace_otel.profiles.encoding import encode_within  # noqa: PLC0415

    room = PROFILES_LIMIT_BYTES
    for direction, variable, pointer, profile in profiles:
        limit = min(room, PROFILE_LIMIT_BYTES)
        columns, kept = encode_within(profile.columns, limit)
        left_out = len(profile.columns) - kept + profile.columns_left_out
        said: Attributes = {
            key.IO_DIRECTION: direction,
            key.IO_NAME: pointer,
            key.PROFILE_VARIABLE: variable,
            key.PROFILE_ROWS: profile.rows,
            key.PROFILE_SAMPLED_ROWS: (
                None if profile.looked_at == profile.rows else profile.looked_at
            ),
            key.PROFILE_COLUMNS_LEFT_OUT: left_out or None,
            key.PROFILE_COLUMNS: columns,
        }
        time_ns = span.start_time if direction == "input" else span.end_time
        yield _encode_event(key.PROFILE_EVENT, time_ns, said)
        room -= len(columns)


def _encode_metric(span: AnySpan, metric: Measurement) -> bytes:
    said: Attributes = {
        key.METRIC_NAME: metric.name,
        key.METRIC_VALUE: metric.value,
        key.IO_DIRECTION: "output" if metric.is_output else None,
    }
    return _encode_event(key.METRIC_EVENT, span.end_time, said)


def _encode_failure(span: AnySpan, failure: Failure) -> bytes:
    said: Attributes = {
        "exception.type": failure.type,
        "exception.message": failure.message,
        "exception.stacktrace": failure.stacktrace,
    }
    status = pack(b"\x12", encode_text(failure.summary)) + _ERROR
    return pack(_STATUS, status) + _encode_event("exception", span.end_time, said)


def _encode_event(name: str, time_ns: int | None, attributes: Attributes) -> bytes:
    time = struct.pack("<BQ", 0x09, time_ns or 0)
    event = time + pack(b"\x12", name.encode()) + encode(attributes, EVENT_ATTRIBUTES)
    return pack(_EVENT, event)
