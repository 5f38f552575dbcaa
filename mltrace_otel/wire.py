"""Component runs in the wire format. In: a run, its span, what is known of its code. Out: requests.

The span knows its ids, its parent and what the program put on it; the run knows the rest. What all
runs of a decorated function say alike is encoded once, and its bytes are appended to each.
Keys and meanings: `mltrace_otel.contract.attributes`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span

from mltrace_otel.contract import attributes as key
from mltrace_otel.contract.api import TestOutcome
from mltrace_otel.links import FLAGS, REMOTE_FLAGS, Share, make_links, share_out
from mltrace_otel.otlp import Attributes, Value, clean, encode_pairs
from mltrace_otel.provenance import Repository, Source
from mltrace_otel.runs import ComponentRun
from mltrace_otel.spans import AnySpan

SPAN_LIMIT_BYTES = 1_000_000
"""Size of a span above which the run's other pointers go onto spans of their own."""

_SCOPE = "mltrace_otel"


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
    return trace_pb2.Span(attributes=encode_pairs(attributes)).SerializeToString()


def encode_resource(resource: Resource) -> bytes:
    """Return where runs come from as the bytes of a request's part that has no span yet."""
    known = {k: v for k, v in resource.attributes.items() if isinstance(v, str | int | float)}
    part = trace_pb2.ResourceSpans(schema_url=resource.schema_url)
    part.resource.attributes.extend(encode_pairs(known))
    part.scope_spans.add().scope.name = _SCOPE
    return part.SerializeToString()


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
    message = _encode_span(span)
    message.MergeFromString(common)
    message.attributes.extend(encode_pairs(_describe_run(run, failure)))
    for outcome in run.test_outcomes:
        _add_outcome(message, outcome)
    if failure:
        _add_failure(message, failure)
    own = span.get_span_context()
    links = [*make_links("input", run.inputs, own), *make_links("output", run.outputs, own)]
    first, *others = share_out(links, message.ByteSize(), SPAN_LIMIT_BYTES)
    message.links.extend(first.links)
    children = [_make_io(run, span, share) for share in others]
    return [_make_request(part, resource) for part in (*children, message)]


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
    message = _make_child(span, told)
    message.MergeFromString(common)
    links = make_links("input", list(run.inputs), own)
    first, *_ = share_out(links, message.ByteSize(), SPAN_LIMIT_BYTES)
    message.links.extend(first.links)
    return _make_request(message, resource)


def _make_io(run: ComponentRun, span: AnySpan, share: Share) -> trace_pb2.Span:
    message = _make_child(
        span,
        {
            key.COMPONENT_NAME: run.component_name,
            key.RECORD: key.RECORD_IO,
            key.IO_OFFSET: share.offset,
        },
    )
    message.links.extend(share.links)
    return message


def _make_child(span: AnySpan, attributes: Attributes) -> trace_pb2.Span:
    """Return a span without length under the run's, at the run's start."""
    own, start_ns = span.get_span_context(), span.start_time or 0
    return trace_pb2.Span(
        trace_id=own.trace_id.to_bytes(16, "big"),
        span_id=os.urandom(8),
        parent_span_id=own.span_id.to_bytes(8, "big"),
        name=span.name,
        kind=trace_pb2.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns,
        flags=FLAGS,
        attributes=encode_pairs(attributes),
    )


def _make_request(message: trace_pb2.Span, resource: bytes) -> bytes:
    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    part.MergeFromString(resource)
    part.scope_spans[0].spans.append(message)
    return request.SerializeToString()


def _encode_span(span: AnySpan) -> trace_pb2.Span:
    if isinstance(span, Span) and (
        span.attributes or span.events or span.links or not span.status.is_unset
    ):
        # The program added something of its own, and the SDK's encoder knows whatever that may be.
        return encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
    own, parent = span.get_span_context(), span.parent
    return trace_pb2.Span(
        trace_id=own.trace_id.to_bytes(16, "big"),
        span_id=own.span_id.to_bytes(8, "big"),
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent else b"",
        trace_state=own.trace_state.to_header() if own.trace_state else "",
        name=span.name,
        kind=trace_pb2.Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.start_time or 0,
        end_time_unix_nano=span.end_time or 0,
        flags=REMOTE_FLAGS if parent and parent.is_remote else FLAGS,
    )


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


def _add_outcome(message: trace_pb2.Span, outcome: TestOutcome) -> None:
    """Add what a test found, at the run's start or end, whichever its phase is about."""
    before = outcome.phase == "before"
    said: Attributes = {
        key.TEST_SUITE: outcome.suite,
        key.TEST_CASE: outcome.case,
        key.TEST_STATUS: outcome.status,
        key.TEST_PHASE: outcome.phase,
        key.TEST_MESSAGE: outcome.message,
        key.TEST_DURATION: outcome.duration_s,
    }
    message.events.add(
        name=key.TEST_EVENT,
        time_unix_nano=message.start_time_unix_nano if before else message.end_time_unix_nano,
        attributes=encode_pairs(said),
    )


def _add_failure(message: trace_pb2.Span, failure: Failure) -> None:
    message.status.code = trace_pb2.Status.STATUS_CODE_ERROR
    message.status.message = clean(failure.summary)
    said: Attributes = {
        "exception.type": failure.type,
        "exception.message": failure.message,
        "exception.stacktrace": failure.stacktrace,
    }
    message.events.add(
        name="exception",
        time_unix_nano=message.end_time_unix_nano,
        attributes=encode_pairs(said),
    )
