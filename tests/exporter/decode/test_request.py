import json
import string
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from builders import make_run, make_span_id, make_test, read, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp import write_json, write_protobuf, write_request

from mltrace_exporter import model
from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.model import Io, Run, SpanId, Words, make_batch
from mltrace_otel.contract import attributes as names

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
words = texts.filter(bool)
maybe_words = st.none() | words
word_tuples = st.lists(words, max_size=3, unique=True).map(tuple)
ids = st.builds(
    SpanId,
    st.binary(min_size=16, max_size=16).filter(any),
    st.binary(min_size=8, max_size=8).filter(any),
)
durations = st.none() | st.floats(0, 1e9, allow_nan=False)
ios = st.builds(
    Io,
    direction=st.just("output"),
    name=words,
    type=st.sampled_from(["data", "model", "endpoint", "unknown"]),
    digest=maybe_words,
    size_bytes=st.none() | st.integers(0, 2**63 - 1),
    labels=word_tuples,
    producer=st.none(),
) | st.builds(lambda name, producer: Io("input", name, producer=producer), words, st.none() | ids)
outcomes = st.builds(
    model.TestResult,
    suite=texts,
    case=words,
    phase=st.sampled_from(["before", "after"]),
    status=st.sampled_from(["pass", "fail", "error", "skip"]),
    message=maybe_words,
    duration_s=durations,
)
scalars = texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
finite = scalars.filter(lambda value: value not in (float("inf"), float("-inf")))
values = st.recursive(
    finite,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(st.text(string.ascii_letters, max_size=8), values, max_size=3)
times = st.datetimes(datetime(1970, 1, 2), datetime(2500, 1, 1)).map(  # noqa: DTZ001 - made aware below
    lambda time: time.replace(tzinfo=make_run().started_at.tzinfo)
)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    started_at, ended_at = sorted(draw(st.tuples(times, times)))
    failed = draw(st.booleans())
    said = draw(st.none() | st.builds(Words, maybe_words, maybe_words, word_tuples))
    id_ = draw(ids)
    return Run(
        id=id_,
        component=draw(words),
        started_at=started_at,
        ended_at=ended_at,
        execution="error" if failed else "ok",
        parent_span_id=draw(st.none() | st.binary(min_size=8, max_size=8).filter(any)),
        words=None if said == Words(None, None, ()) else said,
        message=draw(words) if failed else None,
        error_type=draw(maybe_words),
        notes=draw(maybe_words),
        partition=draw(maybe_words),
        staleness_threshold_s=draw(durations),
        upstream=draw(word_tuples),
        infers_dependencies=draw(st.booleans()),
        code=draw(maybe_words),
        code_line=draw(st.none() | st.integers(0, 2**31 - 1)),
        git_hash=draw(maybe_words),
        git_tags=draw(word_tuples),
        git_dirty=draw(st.none() | st.booleans()),
        io=draw(st.lists(ios.filter(lambda io: io.producer != id_), max_size=3).map(tuple)),
        tests=draw(st.lists(outcomes, max_size=3).map(tuple)),
        resource=draw(attributes),
        attributes=draw(attributes),
    )


def decode_one(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> Run:
    [run] = decode_request(body, encoding).runs
    return run


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(runs(), max_size=2))
def test_a_run_that_is_sent_is_the_run_that_is_decoded(sent: list[Run]) -> None:
    decoded = decode_request(write_protobuf(sent), Encoding.PROTOBUF)
    assert decoded.runs == sent
    assert decoded.ignored == 0


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(runs(), max_size=2))
def test_json_tells_the_same_as_protobuf(sent: list[Run]) -> None:
    decoded = decode_request(write_json(sent), Encoding.JSON)
    assert decoded.runs == sent
    assert decoded.ignored == 0


@given(st.binary(max_size=300), st.sampled_from(Encoding))
def test_random_bytes_are_decoded_or_malformed_and_nothing_else(
    body: bytes, encoding: Encoding
) -> None:
    with suppress(MalformedRequest):
        decode_request(body, encoding)


json_keys = st.sampled_from(
    [
        *("resourceSpans", "scopeSpans", "spans", "resource", "attributes", "links", "events"),
        *("traceId", "spanId", "startTimeUnixNano", "status", "code", "message", "name", "key"),
        *("value", "stringValue", "intValue", "doubleValue", "arrayValue", "values"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_keys, inner, max_size=4),
    max_leaves=30,
)


@given(st.dictionaries(json_keys, json_values, min_size=1))
def test_any_json_is_decoded_or_malformed_and_nothing_else(request: dict[str, Any]) -> None:
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [request]}]}]}
    for body in (request, spans):
        with suppress(MalformedRequest):
            decode_request(json.dumps(body).encode(), Encoding.JSON)


@pytest.mark.parametrize("encoding", Encoding)
def test_an_empty_request_holds_no_runs(encoding: Encoding) -> None:
    assert decode_request(b"", encoding).runs == []
    assert decode_request(b"{}", Encoding.JSON).runs == []


def test_other_spans_and_helper_spans_are_counted_as_ignored() -> None:
    request = write_request([make_run(), make_run(attributes={names.RECORD: "other"}), make_run()])
    del request.resource_spans[2].scope_spans[0].spans[0].attributes[:]
    decoded = decode_request(request.SerializeToString(), Encoding.PROTOBUF)
    assert (len(decoded.runs), decoded.ignored) == (1, 2)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"traceId": "00" * 16},
        {"traceId": "ab"},
        {"spanId": "no hex"},
        {"spanId": None},
        {"startTimeUnixNano": "0", "endTimeUnixNano": 0},
        {"startTimeUnixNano": str(2**70), "endTimeUnixNano": str(2**71)},
        {"startTimeUnixNano": "-5"},
    ],
)
def test_a_run_that_cannot_be_stored_does_not_cost_the_others(spoilt: dict[str, object]) -> None:
    good = make_run()
    request = json.loads(write_json([make_run("bad"), good]))
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(spoilt)
    decoded = decode_request(json.dumps(request).encode(), Encoding.JSON)
    assert decoded.runs == [good]
    assert decoded.ignored == 0
    assert [(letter.component, letter.encoding) for letter in decoded.dead_letters] == [
        ("bad", "application/json")
    ]


def test_json_takes_upper_case_ids_numbers_for_strings_and_unknown_fields() -> None:
    run = make_run(id=SpanId(b"\xab" * 16, b"\xcd" * 8), code_line=7)
    request = json.loads(write_json([run]))
    span = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["traceId"], span["spanId"] = "AB" * 16, "CD" * 8
    span["startTimeUnixNano"] = int(span["startTimeUnixNano"])
    span["weather"] = {"rain": [1]}
    request["more"] = None
    assert decode_one(json.dumps(request).encode(), Encoding.JSON) == run


def test_what_postgresql_refuses_in_strings_is_replaced() -> None:
    run = make_run("a\0b", notes="lone \ud800", resource={"k\0": ["\0"]})
    decoded = decode_one(json.dumps(json_request_with(run)).encode(), Encoding.JSON)
    assert decoded.component == "a\ufffdb"
    assert decoded.notes == "lone \ufffd"
    assert decoded.resource == {"k\ufffd": ["\ufffd"]}


def json_request_with(run: Run) -> dict[str, Any]:
    """The request with its notes put in as JSON text, which protobuf's encoder would refuse."""
    request: dict[str, Any] = json.loads(write_json([run._replace(notes="?")]))
    for pair in request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]:
        if pair["key"] == names.RUN_NOTES:
            pair["value"] = {"stringValue": run.notes}
    return request


def test_values_that_json_cannot_hold_become_words() -> None:
    run = make_run(attributes={"a": float("nan"), "b": float("-inf"), "c": b"\x00\xff"})
    for encoding, write in ((Encoding.PROTOBUF, write_protobuf), (Encoding.JSON, write_json)):
        decoded = decode_one(write([run]), encoding)
        assert decoded.attributes == {"a": "NaN", "b": "-Infinity", "c": "AP8="}


def test_a_value_of_another_type_than_declared_stays_an_attribute() -> None:
    request = write_request([make_run(code_line=5)])
    for pair in request.resource_spans[0].scope_spans[0].spans[0].attributes:
        if pair.key == names.CODE_LINE_NUMBER:
            pair.value.string_value = "five"
    decoded = decode_one(request.SerializeToString())
    assert decoded.code_line is None
    assert decoded.attributes == {names.CODE_LINE_NUMBER: "five"}


def test_one_link_can_name_a_whole_batch_of_outputs() -> None:
    request = write_request([make_run(io=[wrote("first", "x:1", labels=("gold",))])])
    [link] = request.resource_spans[0].scope_spans[0].spans[0].links
    batch = write_request([make_run(attributes={names.IO_NAMES: ["p1", "", "p2", "p3"]})])
    digests = write_request([make_run(attributes={names.IO_DIGESTS: ["x:2", "", ""]})])
    for source in (batch, digests):
        link.attributes.append(source.resource_spans[0].scope_spans[0].spans[0].attributes[0])
    decoded = decode_one(request.SerializeToString())
    assert [(io.name, io.digest) for io in decoded.io] == [
        ("first", "x:1"),
        ("p1", "x:2"),
        ("p2", None),
        ("p3", None),
    ]
    assert {io.labels for io in decoded.io} == {("gold",)}


def test_a_link_to_the_run_itself_or_to_nothing_names_no_producer() -> None:
    producer = make_span_id()
    run = make_run(io=[read("own"), read("known", producer=producer), wrote("made")])
    request = write_request([run])
    request.resource_spans[0].scope_spans[0].spans[0].links.add(
        trace_id=bytes(16),
        span_id=bytes(8),
        attributes=request.resource_spans[0].scope_spans[0].spans[0].links[0].attributes,
    )
    decoded = decode_one(request.SerializeToString())
    assert [io.producer for io in decoded.io] == [None, producer, None, None]


def test_names_in_attributes_are_pointers_unless_a_link_names_them_too() -> None:
    told = {names.INPUTS: ["a", "b", "a"], names.OUTPUTS: "c"}
    decoded = decode_one(write_protobuf([make_run(io=[read("a", "x:1")], attributes=told)]))
    assert [(io.direction, io.name) for io in decoded.io] == [
        ("input", "a"),
        ("input", "b"),
        ("output", "c"),
    ]
    assert decoded.io[0].digest == "x:1"
    assert decoded.attributes == {}


def test_a_failure_without_a_message_takes_the_words_of_its_exception() -> None:
    request = write_request([make_run(execution="error")])
    [span] = request.resource_spans[0].scope_spans[0].spans
    source = make_run(
        attributes={
            "exception.type": "ValueError",
            "exception.message": "no rows",
            "exception.stacktrace": "Traceback ...",
        }
    )
    told = write_request([source]).resource_spans[0].scope_spans[0].spans[0].attributes
    span.events.add(name="exception", attributes=told)
    decoded = decode_one(request.SerializeToString())
    assert (decoded.error_type, decoded.message) == ("ValueError", "ValueError: no rows")
    assert decoded.attributes == {"exception.stacktrace": "Traceback ..."}


def test_what_one_run_says_more_is_not_said_of_those_with_the_same_attributes() -> None:
    source = make_run(execution="error", attributes={"team": "blue"})
    request = write_request([source] * 3)
    span = request.resource_spans[1].scope_spans[0].spans[0]
    told = write_request([make_run(attributes={"exception.stacktrace": "Traceback ..."})])
    stacktrace = told.resource_spans[0].scope_spans[0].spans[0].attributes
    span.events.add(name="exception", attributes=stacktrace)
    decoded = decode_request(request.SerializeToString(), Encoding.PROTOBUF).runs
    assert [run.attributes for run in decoded] == [
        {"team": "blue"},
        {"team": "blue", "exception.stacktrace": "Traceback ..."},
        {"team": "blue"},
    ]


def test_a_test_that_ended_in_no_known_way_is_left_out() -> None:
    run = make_run(tests=(make_test("a", "pass"), make_test("b", "maybe"), make_test("c", "fail")))
    decoded = decode_one(write_protobuf([run]))
    assert [test.case for test in decoded.tests] == ["a", "c"]


def test_names_too_long_for_an_index_are_cut() -> None:
    decoded = decode_one(write_protobuf([make_run("ü" * 5000, io=[wrote("o", "x:" + "0" * 5000)])]))
    assert decoded.component.startswith("ü" * 200)
    assert len(decoded.component.encode()) <= 500
    assert len(decoded.io[0].digest or "") <= 200


def test_times_are_whole_and_in_order_whatever_is_missing() -> None:
    run = make_run()
    request = write_request([run])
    [span] = request.resource_spans[0].scope_spans[0].spans
    span.start_time_unix_nano += 999
    assert decode_one(request.SerializeToString()).started_at == run.started_at
    span.end_time_unix_nano = 0
    assert decode_one(request.SerializeToString()).ended_at == run.started_at
    span.start_time_unix_nano, span.end_time_unix_nano = 0, 2_000_000_000
    assert decode_one(request.SerializeToString()).started_at.timestamp() == 2


def test_deep_nesting_is_malformed() -> None:
    deep = b'{"arrayValue":{"values":[' * 20_000
    body = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + deep
    with pytest.raises(MalformedRequest):
        decode_request(body, Encoding.JSON)


def test_what_protobuf_may_nest_json_may_nest() -> None:
    nested: object = "core"
    for _ in range(30):
        nested = [nested]
    run = make_run(attributes={"deep": nested})
    assert decode_one(write_json([run]), Encoding.JSON) == run
    assert decode_one(write_protobuf([run])) == run


def test_concatenated_requests_are_one_request() -> None:
    one, two = make_run(), make_run()
    both = decode_request(write_protobuf([one]) + write_protobuf([two]), Encoding.PROTOBUF)
    assert both.runs == [one, two]


def _spans_of(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for group in request.resource_spans for span in group.scope_spans[0].spans]


def test_text_that_is_no_utf8_is_mended_wherever_it_stands() -> None:
    run = make_run(
        "bad\u00ff", io=[wrote("out\u00ff")], tests=(make_test(),), resource={"k": "v\u00ff"}
    )
    body = write_protobuf([run, make_run("good")]).replace("\u00ff".encode(), b"\xff\xfe")
    decoded = decode_request(body, Encoding.PROTOBUF)
    assert not decoded.dead_letters
    mended, good = decoded.runs
    assert good.component == "good"
    assert mended.component.rstrip("\ufffd") == "bad"
    assert [io.name.rstrip("\ufffd") for io in mended.io] == ["out"]
    assert str(mended.resource["k"]).rstrip("\ufffd") == "v"
    assert mended.tests == run.tests


def test_of_a_request_with_damaged_spans_the_others_are_read() -> None:
    request = write_request([make_run("one"), make_run("two"), make_run("three")])
    whole = request.SerializeToString()
    damaged = _spans_of(request)[1].SerializeToString()
    # The first byte is a tag: one of wire type 7 does not exist.
    decoded = decode_request(whole.replace(damaged, b"\x0f" + damaged[1:]), Encoding.PROTOBUF)
    assert [run.component for run in decoded.runs] == ["one", "three"]
    (letter,) = decoded.dead_letters
    assert letter.content == b"\x0f" + damaged[1:]
    assert "damaged" in letter.reason


def test_a_damaged_span_that_names_no_component_is_kept_as_a_dead_letter() -> None:
    request = write_request([make_run("one"), make_run("other")])
    span = _spans_of(request)[1]
    del span.attributes[:]
    span.links.add(trace_id=b"t" * 16).attributes.add(key="damaged")
    whole = span.SerializeToString()
    damaged = whole.replace(b"\n\x07damaged", b"\x0f\x07damaged")
    decoded = decode_request(request.SerializeToString().replace(whole, damaged), Encoding.PROTOBUF)
    assert [run.component for run in decoded.runs] == ["one"]
    assert [letter.content for letter in decoded.dead_letters] == [damaged]


def test_a_damaged_resource_costs_no_run() -> None:
    request = write_request([make_run("one", resource={"host.name": "here"})])
    body = request.SerializeToString().replace(b"\n\x09host.name", b"\x0f\x09host.name")
    decoded = decode_request(body, Encoding.PROTOBUF)
    assert [(run.component, run.resource) for run in decoded.runs] == [("one", {})]
    assert not decoded.dead_letters


def test_of_a_request_that_was_cut_off_the_whole_spans_are_read() -> None:
    body = write_protobuf([make_run("one"), make_run("two")])
    decoded = decode_request(body[:-3], Encoding.PROTOBUF)
    assert [run.component for run in decoded.runs] == ["one"]
    assert len(decoded.dead_letters) == 1


@given(st.data())
def test_whatever_bytes_are_flipped_nothing_else_is_lost(data: st.DataObject) -> None:
    runs_ = [make_run(f"run-{number}") for number in range(3)]
    body = bytearray(write_protobuf(runs_))
    start = body.index(b"run-1")
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(start, start + 40))] = data.draw(st.integers(0, 255))
    decoded = decode_request(bytes(body), Encoding.PROTOBUF)
    assert {runs_[0].id, runs_[2].id} <= {run.id for run in decoded.runs}
    make_batch(decoded.list_said())


def test_a_long_body_that_is_no_otlp_is_given_up_soon() -> None:
    begun_s = time.process_time()
    with pytest.raises(MalformedRequest, match="OTLP does not have"):
        decode_request(bytes(4_000_000), Encoding.PROTOBUF)
    assert time.process_time() - begun_s < 0.5


def test_a_span_whose_values_nest_too_deeply_costs_no_other() -> None:
    request = write_request([make_run("deep"), make_run("good")])
    value = _spans_of(request)[0].attributes.add(key="deep").value
    for _ in range(200):
        value = value.array_value.values.add()
    decoded = decode_request(request.SerializeToString(), Encoding.PROTOBUF)
    assert [run.component for run in decoded.runs] == ["good"]
    assert len(decoded.dead_letters) == 1


@pytest.mark.parametrize(
    "part",
    [
        b'{"resource":{"attributes":[{"key":"k","value":{"intValue":"x"}}]},"scopeSpans":[%s]}',
        b'{"scopeSpans":[%s,null]}',
        b'{"scopeSpans":[%s,{"spans":"none"}]}',
        b'{"scopeSpans":[%s]},{"scopeSpans":{}}',
        b'{"scopeSpans":[%s,{"spans":[7,{"attributes":[null]}]}]}',
        b'{"scopeSpans":[%s,{"spans":[{"name":"\xff\xfe"}]}]}',
    ],
)
def test_what_json_has_that_is_no_span_costs_none(part: bytes) -> None:
    group = json.loads(write_json([make_run("good")]))["resourceSpans"][0]
    scope = json.dumps(group["scopeSpans"][0]).encode()
    body = b'{"resourceSpans":[' + part % scope + b"]}"
    assert [run.component for run in decode_request(body, Encoding.JSON).runs] == ["good"]


@pytest.mark.parametrize(
    "nest",
    ['{"arrayValue":{"values":[%s]}}', '{"kvlistValue":{"values":[{"key":"k","value":%s}]}}'],
)
@pytest.mark.parametrize("depth", [60, 150, 200])
def test_json_nests_no_deeper_than_what_reads_it(nest: str, depth: int) -> None:
    request = json.loads(write_json([make_run("deep"), make_run("good")]))
    value = '{"intValue":1}'
    for _ in range(depth):
        value = nest % value
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["attributes"].append({"key": "deep", "value": "deep"})
    body = json.dumps(request).replace('"value": "deep"', f'"value": {value}').encode()
    decoded = decode_request(body, Encoding.JSON)
    assert [run.component for run in decoded.runs] == ["good"]
    assert [letter.reason for letter in decoded.dead_letters] == [
        "Its values are nested too deeply."
    ]


def test_json_takes_words_for_numbers_and_truths() -> None:
    request = json.loads(write_json([make_run()]))
    [span] = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    span["status"] = {"code": "STATUS_CODE_ERROR"}
    span["attributes"].append({"key": "sure", "value": {"boolValue": "false"}})
    run = decode_one(json.dumps(request).encode(), Encoding.JSON)
    assert (run.execution, run.attributes["sure"]) == ("error", False)


@pytest.mark.parametrize("encoding", Encoding)
def test_extremes_are_stored_as_they_can_be(encoding: Encoding) -> None:
    told = {
        "nan": float("nan"),
        "infinite": float("-inf"),
        "least": -(2**63),
        "nul": "a\0b",
        "nul\0key": True,
        names.RUN_STALENESS_THRESHOLD: float("nan"),
        names.CODE_LINE_NUMBER: -(2**63),
    }
    run = make_run("n" * 1_000_000 + "\0", attributes=told, io=[wrote("o" * 1_000_000)])
    write = write_json if encoding is Encoding.JSON else write_protobuf
    decoded = decode_one(write([run]), encoding)
    assert decoded.attributes["nan"] == "NaN"
    assert decoded.attributes["infinite"] == "-Infinity"
    assert decoded.attributes["least"] == -(2**63)
    assert decoded.attributes["nul"] == "a\ufffdb"
    assert "nul\ufffdkey" in decoded.attributes
    assert decoded.staleness_threshold_s is None
    assert len(decoded.component.encode()) <= 500
