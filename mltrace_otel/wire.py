"""Component runs in the wire format. In: a run, its span, what is known of its code. Out: requests.

The span knows its ids, its parent and what the program put on it; the run knows the rest. What all
runs of a decorated function say alike is encoded once, and its bytes are appended to each.
Pure. Keys and meanings: `mltrace_otel.contract.attributes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span
from opentelemetry.trace import SpanContext

from mltrace_otel.contract import attributes as key
from mltrace_otel.contract.api import TestOutcome
from mltrace_otel.pointers import IOPointer
from mltrace_otel.provenance import Repository, Source
from mltrace_otel.runs import ComponentRun

Value = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, Value | None]

NAMES_PER_LINK = 10_000

_SCOPE = "mltrace_otel"
_FLAGS = trace_pb2.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE_FLAGS = _FLAGS | trace_pb2.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


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
    return trace_pb2.Span(attributes=_pairs(attributes)).SerializeToString()


def encode_resource(resource: Resource) -> bytes:
    """Return where runs come from as the bytes of a request's part that has no span yet."""
    known = {k: v for k, v in resource.attributes.items() if isinstance(v, str | int | float)}
    part = trace_pb2.ResourceSpans(schema_url=resource.schema_url)
    part.resource.attributes.extend(_pairs(known))
    part.scope_spans.add().scope.name = _SCOPE
    return part.SerializeToString()


def encode_run(
    run: ComponentRun, span: Span, failure: Failure | None, common: bytes, resource: bytes
) -> bytes:
    """Return a request that holds one run.

    Args:
        run: what it read, wrote and found.
        span: its span, ended.
        failure: how it failed; None if it did not.
        common: what `encode_attributes` made of what all runs of the function say.
        resource: what `encode_resource` made of the provider's resource.
    """
    message = _encode_span(span)
    message.MergeFromString(common)
    message.attributes.extend(_pairs(_describe_run(run, failure)))
    own = span.get_span_context()
    message.links.extend(_make_links("input", run.inputs, own))
    message.links.extend(_make_links("output", run.outputs, own))
    for outcome in run.test_outcomes:
        _add_outcome(message, outcome)
    if failure:
        _add_failure(message, failure)
    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    part.MergeFromString(resource)
    part.scope_spans[0].spans.append(message)
    return request.SerializeToString()


def _encode_span(span: Span) -> trace_pb2.Span:
    if span.attributes or span.events or span.links or not span.status.is_unset:
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
        flags=_REMOTE_FLAGS if parent and parent.is_remote else _FLAGS,
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


def _make_links(
    direction: str, pointers: Sequence[IOPointer], own: SpanContext
) -> Iterator[trace_pb2.Span.Link]:
    """Yield links to the pointers' producers; where none is known, to the run itself.

    Pointers that differ by their names only share a link, so that a batch of 10,000 prediction ids
    is one link.
    """
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for pointer in filter(_has_only_a_name, pointers):
        alike.setdefault((pointer.type, pointer.labels), []).append(pointer.name)
    for (type_, labels), names in alike.items():
        for start in range(0, len(names), NAMES_PER_LINK):
            part = names[start : start + NAMES_PER_LINK]
            said = {
                key.IO_DIRECTION: direction,
                key.IO_NAME: part[0] if len(part) == 1 else None,
                key.IO_NAMES: None if len(part) == 1 else part,
                key.IO_TYPE: type_,
                key.IO_LABELS: labels,
            }
            yield _make_link(own, said)
    for pointer in pointers:
        if not _has_only_a_name(pointer):
            yield _make_link(pointer.producer or own, _describe_pointer(direction, pointer))


def _has_only_a_name(pointer: IOPointer) -> bool:
    return pointer.digest is None and pointer.producer is None and pointer.size_bytes is None


def _describe_pointer(direction: str, pointer: IOPointer) -> Attributes:
    return {
        key.IO_DIRECTION: direction,
        key.IO_NAME: pointer.name,
        key.IO_TYPE: pointer.type,
        key.IO_DIGEST: pointer.digest,
        key.IO_SIZE: pointer.size_bytes,
        key.IO_LABELS: pointer.labels,
    }


def _make_link(context: SpanContext, attributes: Attributes) -> trace_pb2.Span.Link:
    return trace_pb2.Span.Link(
        trace_id=context.trace_id.to_bytes(16, "big"),
        span_id=context.span_id.to_bytes(8, "big"),
        flags=_REMOTE_FLAGS if context.is_remote else _FLAGS,
        attributes=_pairs(attributes),
    )


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
        attributes=_pairs(said),
    )


def _add_failure(message: trace_pb2.Span, failure: Failure) -> None:
    message.status.code = trace_pb2.Status.STATUS_CODE_ERROR
    message.status.message = _clean(failure.summary)
    said: Attributes = {
        "exception.type": failure.type,
        "exception.message": failure.message,
        "exception.stacktrace": failure.stacktrace,
    }
    message.events.add(
        name="exception",
        time_unix_nano=message.end_time_unix_nano,
        attributes=_pairs(said),
    )


def _pairs(attributes: Attributes) -> list[KeyValue]:
    """Return the attributes that say something."""
    return [
        KeyValue(key=name, value=_encode_value(value))
        for name, value in attributes.items()
        if value or (value is not None and not isinstance(value, Sequence))
    ]


def _encode_value(value: Value) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=_clean(value))
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_encode_value(text) for text in value]))


def _clean(text: str) -> str:
    """Return text that UTF-8 can hold: names of files in other encodings have lone surrogates."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
