from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from summarising import make_numeric

from mltrace_exporter import model
from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.model import Batch, Io, Run, SpanId, Words
from mltrace_otel import ComponentRun, IOPointer, PointerType
from mltrace_otel.contract import api
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.provenance import Repository, Source
from mltrace_otel.runs import Measurement, VariableProfile
from mltrace_otel.telemetry import wire
from mltrace_otel.telemetry.otlp import Attributes

RESOURCE = Resource({"service.name": "prögram", "process.pid": 7, "host.name": "here"})
TRACER = TracerProvider(resource=RESOURCE).get_tracer("test")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# NUL is what PostgreSQL refuses, and the exporter replaces.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORDS = TEXTS.filter(bool)
NAMES = st.lists(WORDS, unique=True, max_size=4)
CONTEXTS = st.builds(
    SpanContext,
    trace_id=st.integers(1, 2**128 - 1),
    span_id=st.integers(1, 2**64 - 1),
    is_remote=st.booleans(),
    trace_flags=st.sampled_from([TraceFlags(0), TraceFlags(1)]),
)
POINTERS = st.lists(
    st.builds(
        IOPointer,
        name=WORDS,
        type=st.sampled_from(PointerType),
        digest=st.none() | st.from_regex(r"[a-z0-9]{3,9}:[0-9a-f]{4,32}", fullmatch=True),
        size_bytes=st.none() | st.integers(0, 2**60),
        labels=NAMES.map(tuple),
        producer=st.none() | CONTEXTS,
    ),
    max_size=6,
)
OUTCOMES = st.lists(
    st.builds(
        api.TestOutcome,
        suite=WORDS,
        case=WORDS,
        phase=st.sampled_from(["before", "after"]),
        status=st.sampled_from(["pass", "fail"]),
        message=st.none() | WORDS,
        duration_s=st.floats(0, 1e6),
    ),
    max_size=4,
)
COLUMNS = st.builds(make_numeric, WORDS, st.lists(st.none() | st.floats(-1e9, 1e9), max_size=9))
PROFILES = st.lists(
    st.builds(
        VariableProfile,
        direction=st.sampled_from(["input", "output"]),
        variable=WORDS,
        pointer=st.none() | WORDS,
        profile=st.builds(
            Profile,
            rows=st.integers(0, 2**60),
            looked_at=st.integers(0, 2**60),
            columns=st.lists(COLUMNS, max_size=3).map(tuple),
            columns_left_out=st.integers(0, 1000),
        ),
    ),
    max_size=3,
    unique_by=lambda profile: (profile.direction, profile.variable),
)
METRICS = st.lists(
    st.builds(Measurement, WORDS, st.floats(allow_nan=False), is_output=st.booleans()),
    max_size=3,
    unique_by=lambda metric: (metric.name, metric.is_output),
)
RUNS = st.builds(
    ComponentRun,
    component_name=WORDS,
    notes=TEXTS,
    inputs=POINTERS,
    outputs=POINTERS,
    upstream=NAMES,
    partition=st.none() | WORDS,
    staleness_threshold_s=st.none() | st.floats(1, 1e9),
    infers_dependencies=st.booleans(),
    git_hash=st.none() | WORDS,
    git_tags=NAMES,
    code_snapshot=st.none() | WORDS,
    test_outcomes=OUTCOMES,
    profiles=PROFILES,
    metrics=METRICS,
)
FAILURES = st.none() | st.builds(
    wire.Failure, type=WORDS, message=TEXTS, summary=WORDS, stacktrace=TEXTS
)


def make_span(name: str = "c", start_ns: int = 1_000_000_000, end_ns: int = 2_000_000_000) -> Span:
    span = TRACER.start_span(name, start_time=start_ns)
    span.end(end_ns)
    assert isinstance(span, Span)
    return span


def carry(
    run: ComponentRun,
    span: Span | None = None,
    failure: wire.Failure | None = None,
    common: Attributes | None = None,
) -> Run:
    """Return what the exporter reads of a run that the client wrote."""
    words = common or wire.describe_component(run.component_name, "", "", ())
    (request,) = wire.encode_run(
        run,
        span or make_span(),
        failure,
        wire.encode_attributes(words),
        wire.encode_resource(RESOURCE),
    )
    decoded = decode_request(request, Encoding.PROTOBUF)
    assert decoded.ignored == 0
    (found,) = decoded.runs
    return found


def read_id(context: SpanContext) -> SpanId:
    return SpanId(context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big"))


def expect_io(direction: str, pointer: IOPointer) -> Io:
    producer = read_id(pointer.producer) if pointer.producer and direction == "input" else None
    return Io(
        direction,
        pointer.name,
        pointer.type.value,
        pointer.digest,
        pointer.size_bytes,
        pointer.labels,
        producer,
    )


@given(RUNS, FAILURES, st.integers(1, 10**9), st.integers(0, 10**9))
def test_what_the_client_writes_is_what_the_exporter_reads(
    run: ComponentRun, failure: wire.Failure | None, start_us: int, lasted_us: int
) -> None:
    span = make_span("c", start_us * 1000, (start_us + lasted_us) * 1000)

    found = carry(run, span, failure)

    assert found.id == read_id(span.get_span_context())
    assert found.component == run.component_name
    assert found.started_at == EPOCH + timedelta(microseconds=start_us)
    assert found.ended_at - found.started_at == timedelta(microseconds=lasted_us)
    assert found.notes == (run.notes or None)
    assert found.partition == run.partition
    assert found.staleness_threshold_s == run.staleness_threshold_s
    assert (found.upstream, found.git_tags) == (tuple(run.upstream), tuple(run.git_tags))
    assert found.infers_dependencies == run.infers_dependencies
    assert (found.git_hash, found.code) == (run.git_hash, run.code_snapshot)
    assert Counter(found.io) == Counter(
        [expect_io("input", pointer) for pointer in run.inputs]
        + [expect_io("output", pointer) for pointer in run.outputs]
    )
    assert found.tests == tuple(
        model.TestResult(t.suite, t.case, t.phase, t.status, t.message, t.duration_s)
        for t in run.test_outcomes
    )
    assert [each[:6] for each in found.profiles] == [
        (*each[:3], each.profile.rows, each.profile.looked_at, each.profile.columns_left_out)
        for each in run.profiles
    ]
    assert [decode_columns(each.columns) for each in found.profiles] == [
        each.profile.columns for each in run.profiles
    ]
    assert found.metrics == tuple(map(model.MetricValue._make, run.metrics))
    assert found.execution == ("error" if failure else "ok")
    assert found.error_type == (failure.type if failure else None)
    assert found.message == (failure.summary if failure else None)


@given(WORDS, TEXTS, TEXTS, NAMES)
def test_words_about_the_component_arrive(
    name: str, owner: str, description: str, tags: list[str]
) -> None:
    found = carry(
        ComponentRun(name), common=wire.describe_component(name, owner, description, tags)
    )

    expected = Words(owner or None, description or None, tuple(tags))
    assert found.words == (None if expected == Words(None, None, ()) else expected)


def test_code_and_repository_arrive() -> None:
    source = Source("module.work", "work.py", 12, "def work(): ...")
    repository = Repository("abc", "main", "https://host/x.git", ("v1", "v2"), dirty=True)
    common = {
        **wire.describe_component("c", "", "", ()),
        **wire.describe_code(source, repository),
    }

    found = carry(ComponentRun("c"), common=common)

    assert (found.code_function, found.code_file, found.code_line, found.code) == (
        "module.work",
        "work.py",
        12,
        "def work(): ...",
    )
    assert (found.git_hash, found.git_ref, found.git_repository) == (
        "abc",
        "main",
        "https://host/x.git",
    )
    assert (found.git_tags, found.git_dirty) == (("v1", "v2"), True)
    assert found.resource == RESOURCE.attributes


@given(st.text(st.characters(), min_size=1, max_size=9))
def test_any_text_can_be_written(text: str) -> None:
    run = ComponentRun(text, notes=text, partition=text, inputs=[IOPointer(text)], upstream=[text])
    run.outputs = [IOPointer(text, digest="d:0", labels=(text,)), IOPointer(text), IOPointer("b")]

    found = carry(run, failure=wire.Failure(text, text, text, text))

    assert len(found.io) == 4
    assert found.execution == "error"


def test_what_the_program_puts_onto_its_span_is_kept() -> None:
    span = TRACER.start_span("c")
    span.set_attribute("rows", 12)
    span.set_attribute("mltrace.note", ["a", "b"])
    span.add_event("checkpoint")
    span.set_status(Status(StatusCode.ERROR, "half of it"))
    span.end()
    assert isinstance(span, Span)

    found = carry(ComponentRun("c", inputs=[IOPointer("in")]), span)

    assert found.attributes["rows"] == 12
    assert (found.execution, found.message) == ("error", "half of it")
    assert [io.name for io in found.io] == ["in"]


@pytest.mark.parametrize(("names", "links"), [(1, 1), (10_000, 1), (10_001, 2), (25_000, 3)])
def test_pointers_that_differ_by_name_share_links(names: int, links: int) -> None:
    run = ComponentRun("c", outputs=[IOPointer(f"id-{number}") for number in range(names)])
    (request,) = wire.encode_run(run, make_span(), None, b"", wire.encode_resource(RESOURCE))

    assert request.count(b"mltrace.io.direction") == links
    assert len(carry(run).io) == names


def read_all(records: list[bytes]) -> Batch:
    return decode_request(b"".join(records), Encoding.PROTOBUF)


@pytest.mark.parametrize("size_bytes", [None, 100])
def test_a_run_with_more_pointers_than_a_span_holds_loses_none(size_bytes: int | None) -> None:
    outputs = [
        IOPointer(f"prediction-{number:040}", size_bytes=size_bytes) for number in range(30_000)
    ]
    run = ComponentRun("c", inputs=[IOPointer("in")], outputs=outputs)
    span, resource = make_span(), wire.encode_resource(RESOURCE)
    common = wire.encode_attributes(wire.describe_component("c", "", "", ()))

    records = wire.encode_run(run, span, None, common, resource)
    found = read_all(records)

    assert all(len(record) < 1_100_000 for record in records)
    assert len(records) > 1
    ((whole,), parts) = found.runs, found.parts
    assert read_all(records[-1:]).runs == [whole]
    assert {part.run for part in parts} == {whole.id}
    told = {(io.direction, io.name): None for io in whole.io}
    for part in sorted(parts, key=lambda part: part.offset):
        assert part.offset == len(told)
        told |= {(io.direction, io.name): None for io in part.io}
    assert list(told) == [("input", "in"), *(("output", pointer.name) for pointer in outputs)]


def test_a_pointer_too_large_for_a_span_goes_onto_one_of_its_own() -> None:
    labels = tuple(f"{number:010}" * 1000 for number in range(110))
    run = ComponentRun("c", inputs=[IOPointer("in", labels=labels), IOPointer("n" * 2_000_000)])
    common = wire.encode_attributes(wire.describe_component("c", "", "", ()))

    records = wire.encode_run(run, make_span(), None, common, wire.encode_resource(RESOURCE))

    assert all(len(record) < 3_000_000 for record in records)
    found = read_all(records)
    assert sum(len(run.io) for run in found.runs) + sum(len(part.io) for part in found.parts) == 2


@pytest.mark.parametrize("state", ["running", "aborted"])
def test_a_marker_says_what_is_known_of_a_run_so_far(state: str) -> None:
    span = TRACER.start_span("c", start_time=1_000_000_000)
    assert isinstance(span, Span)
    common = wire.encode_attributes(wire.describe_component("c", "anna", "", ("t",)))
    run = ComponentRun("c", notes="n", inputs=[IOPointer("in")], outputs=[IOPointer("out")])
    record = wire.encode_marker(
        run, span, common, wire.encode_resource(RESOURCE), state=state, alive_s=2.5
    )

    found = read_all([record])

    (marker,) = found.markers
    assert not found.runs
    assert marker.span_id != read_id(span.get_span_context()).span_id
    known = marker.run
    assert known.id == read_id(span.get_span_context())
    assert (known.component, known.execution, known.notes) == ("c", state, "n")
    assert known.words == Words("anna", None, ("t",))
    assert [io.name for io in known.io] == ["in"]
    assert known.started_at == EPOCH + timedelta(seconds=1)
    assert known.ended_at - known.started_at == timedelta(seconds=2.5)


def test_a_marker_fits_however_many_inputs_the_run_has() -> None:
    run = ComponentRun("c", inputs=[IOPointer(f"file-{n:060}") for n in range(100_000)])
    span = make_span()
    record = wire.encode_marker(run, span, b"", b"\x12\x00", state="running", alive_s=2)

    assert len(record) < 1_100_000
