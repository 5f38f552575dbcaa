"""Whatever bytes come to a door, it answers as the protocol has it, and goes on."""

from collections.abc import Callable

import grpc
import httpx
from builders import make_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from otlp import write_json, write_protobuf

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ANSWERS = {200, 400, 413, 415}
_PROTOBUF, _JSON = write_protobuf([make_run("etl")]), write_json([make_run("etl")])


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A request with some bytes changed, left out or put in."""
    body = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


bodies = st.one_of(st.binary(max_size=200), damaged(_PROTOBUF), damaged(_JSON))
content_types = st.sampled_from(["application/x-protobuf", "application/json", "text/plain", ""])
encodings = st.sampled_from(["", "gzip", "identity", "br"])
hostile = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@hostile
@given(body=bodies, content_type=content_types, encoding=encodings)
def test_any_bytes_over_http_are_answered(
    http_url: str, body: bytes, content_type: str, encoding: str
) -> None:
    headers = {"content-type": content_type, "content-encoding": encoding}
    answer = httpx.post(f"{http_url}/v1/traces", content=body, headers=headers)
    assert answer.status_code in ANSWERS, answer.text


@hostile
@given(body=bodies)
def test_any_bytes_over_grpc_are_answered(grpc_address: str, body: bytes) -> None:
    with grpc.insecure_channel(grpc_address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        answer = call.future(body, timeout=30)
        assert answer.code() in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


def test_the_doors_go_on_after_that(
    http_url: str, grpc_address: str, stored: Callable[[], list[str]]
) -> None:
    headers = {"content-type": "application/x-protobuf"}
    httpx.post(f"{http_url}/v1/traces", content=_PROTOBUF, headers=headers).raise_for_status()
    with grpc.insecure_channel(grpc_address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        assert call(write_protobuf([make_run("train")]), timeout=30) == b""
    assert sorted(stored()) == ["etl", "train"]


def test_other_signals_are_not_taken_over_grpc(grpc_address: str) -> None:
    service = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    with grpc.insecure_channel(grpc_address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(service)
        assert call.future(b"", timeout=30).code() is grpc.StatusCode.UNIMPLEMENTED
