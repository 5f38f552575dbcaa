"""Writes OTLP as a sender would: component runs in, bytes of an export request out."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from mltrace_exporter.model import (
    Batch,
    Io,
    IoPart,
    Marker,
    MetricValue,
    Run,
    SpanId,
    TestResult,
    VariableProfile,
    Words,
)
from mltrace_otel.contract import attributes as names

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def write_request(runs: Iterable[Run]) -> ExportTraceServiceRequest:
    """Return the request that tells of these runs, each with its own resource."""
    request = ExportTraceServiceRequest()
    for run in runs:
        group = request.resource_spans.add()
        group.resource.attributes.extend(write_attributes(run.resource))
        group.scope_spans.add().spans.append(write_span(run))
    return request


def write_batch(batch: Batch) -> bytes:
    """Return the request that tells of runs, markers and parts, in protobuf."""
    request = write_request(batch.runs)
    spans = [*map(write_marker, batch.markers), *map(write_part, batch.parts)]
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


def write_marker(marker: Marker) -> Span:
    """Return the span that announces a run; it has no resource."""
    run = marker.run
    span = write_span(run._replace(id=SpanId(run.id.trace_id, marker.span_id)))
    span.parent_span_id = run.id.span_id
    span.end_time_unix_nano = span.start_time_unix_nano
    told = {
        names.RECORD: names.RECORD_START,
        names.RUN_STATE: run.execution,
        names.RUN_ALIVE: (run.ended_at - run.started_at).total_seconds(),
    }
    span.attributes.extend(write_attributes(told))
    return span


def write_part(part: IoPart) -> Span:
    """Return the span that carries pointers for a run."""
    run = Run(part.id, "c", _EPOCH + _DAY, _EPOCH + _DAY, "ok", io=part.io)
    span = write_span(run)
    span.parent_span_id = part.run.span_id
    told = {names.RECORD: names.RECORD_IO, names.IO_OFFSET: part.offset}
    span.attributes.extend(write_attributes(told))
    return span


def write_protobuf(runs: Iterable[Run]) -> bytes:
    """Return the request in protobuf."""
    return write_request(runs).SerializeToString()


def write_json(runs: Iterable[Run]) -> bytes:
    """Return the request in OTLP's JSON: as protobuf's, but with ids in hex."""
    message = json_format.MessageToDict(
        write_request(runs), use_integers_for_enums=True, always_print_fields_with_no_presence=False
    )
    for group in message.get("resourceSpans", []):
        for span in group["scopeSpans"][0]["spans"]:
            for holder in (span, *span.get("links", [])):
                for key in {"traceId", "spanId", "parentSpanId"} & holder.keys():
                    holder[key] = base64.b64decode(holder[key]).hex()
    return json.dumps(message).encode()


def write_span(run: Run) -> Span:
    """Return the span that tells of a run."""
    span = Span(
        name=run.component,
        trace_id=run.id.trace_id,
        span_id=run.id.span_id,
        parent_span_id=run.parent_span_id or b"",
        start_time_unix_nano=_nanoseconds(run.started_at),
        end_time_unix_nano=_nanoseconds(run.ended_at),
        attributes=write_attributes({**run.attributes, **_tell(run)}),
    )
    if run.execution == "error":
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=run.message or ""))
    for io in run.io:
        _add_link(span, run, io)
    for test in run.tests:
        span.events.add(name=names.TEST_EVENT, attributes=write_attributes(_tell_test(test)))
    for profile in run.profiles:
        attributes = write_attributes(_tell_profile(profile))
        span.events.add(name=names.PROFILE_EVENT, attributes=attributes)
    for metric in run.metrics:
        span.events.add(name=names.METRIC_EVENT, attributes=write_attributes(_tell_metric(metric)))
    return span


def _nanoseconds(time: datetime) -> int:
    since = time - _EPOCH
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _tell(run: Run) -> dict[str, object]:
    words = run.words or Words(None, None, ())
    return {
        names.COMPONENT_NAME: run.component,
        names.COMPONENT_OWNER: words.owner,
        names.COMPONENT_DESCRIPTION: words.description,
        names.COMPONENT_TAGS: words.tags or None,
        names.RUN_NOTES: run.notes,
        names.RUN_PARTITION: run.partition,
        names.RUN_STALENESS_THRESHOLD: run.staleness_threshold_s,
        names.RUN_UPSTREAM: run.upstream or None,
        names.RUN_INFERS_DEPENDENCIES: None if run.infers_dependencies else False,
        names.CODE_SNAPSHOT: run.code,
        names.CODE_FUNCTION_NAME: run.code_function,
        names.CODE_FILE_PATH: run.code_file,
        names.CODE_LINE_NUMBER: run.code_line,
        names.VCS_REVISION: run.git_hash,
        names.VCS_REF: run.git_ref,
        names.VCS_REPOSITORY: run.git_repository,
        names.VCS_TAGS: run.git_tags or None,
        names.VCS_DIRTY: run.git_dirty,
        names.ERROR_TYPE: run.error_type,
    }


def _add_link(span: Span, run: Run, io: Io) -> None:
    target = io.producer or run.id
    span.links.add(
        trace_id=target.trace_id,
        span_id=target.span_id,
        attributes=write_attributes(
            {
                names.IO_DIRECTION: io.direction,
                names.IO_NAME: io.name,
                names.IO_TYPE: io.type,
                names.IO_DIGEST: io.digest,
                names.IO_SIZE: io.size_bytes,
                names.IO_LABELS: io.labels or None,
            }
        ),
    )


def _tell_test(test: TestResult) -> dict[str, object]:
    return {
        names.TEST_SUITE: test.suite,
        names.TEST_CASE: test.case,
        names.TEST_STATUS: test.status,
        names.TEST_PHASE: test.phase,
        names.TEST_MESSAGE: test.message,
        names.TEST_DURATION: test.duration_s,
    }


def _tell_profile(profile: VariableProfile) -> dict[str, object]:
    return {
        names.IO_DIRECTION: profile.direction,
        names.IO_NAME: profile.pointer,
        names.PROFILE_VARIABLE: profile.variable,
        names.PROFILE_ROWS: profile.rows,
        names.PROFILE_SAMPLED_ROWS: profile.looked_at,
        names.PROFILE_COLUMNS_LEFT_OUT: profile.columns_left_out or None,
        names.PROFILE_COLUMNS: profile.columns,
    }


def _tell_metric(metric: MetricValue) -> dict[str, object]:
    return {
        names.METRIC_NAME: metric.name,
        names.METRIC_VALUE: metric.value,
        names.IO_DIRECTION: "output" if metric.is_output else None,
    }


def write_attributes(values: Mapping[str, object]) -> list[KeyValue]:
    """Return attributes; what is None is left out."""
    return [
        KeyValue(key=key, value=write_value(value))
        for key, value in values.items()
        if value is not None
    ]


def write_value(value: Any) -> AnyValue:
    """Return a value of OTLP."""
    wire = AnyValue()
    match value:
        case bool():
            wire.bool_value = value
        case str():
            wire.string_value = value
        case int():
            wire.int_value = value
        case float():
            wire.double_value = value
        case bytes():
            wire.bytes_value = value
        case dict():
            wire.kvlist_value.values.extend(write_attributes(value))
            wire.kvlist_value.SetInParent()
        case _:
            wire.array_value.values.extend(write_value(item) for item in value)
            wire.array_value.SetInParent()
    return wire
