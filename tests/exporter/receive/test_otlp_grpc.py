from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from builders import make_run
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from otlp import write_protobuf

from mltrace_exporter.errors import SettingsError
from mltrace_exporter.receive import GrpcDoor

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def export(
    address: str, body: bytes, compression: grpc.Compression = grpc.Compression.NoCompression
) -> bytes:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options, compression) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        return call(body, timeout=30)


def refusal(address: str, body: bytes) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as raised:
        export(address, body)
    return raised.value


def trailers_of(error: grpc.RpcError) -> dict[str, bytes]:
    return {pair.key: pair.value for pair in error.trailing_metadata()}


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_success_means_stored(
    grpc_address: str, stored: Callable[[], list[str]], compression: grpc.Compression
) -> None:
    assert export(grpc_address, write_protobuf([make_run("a")]), compression) == b""
    assert stored() == ["a"]


def test_an_empty_request_is_a_success(grpc_address: str) -> None:
    assert export(grpc_address, b"") == b""


def test_what_is_no_protobuf_is_refused_for_good(grpc_address: str) -> None:
    error = refusal(grpc_address, b"\x0a\xff")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "no OTLP trace request" in (error.details() or "")
    status = Status.FromString(trailers_of(error)["grpc-status-details-bin"])
    assert status.code == 3
    assert "google.rpc.retryinfo-bin" not in trailers_of(error)


@pytest.mark.parametrize("size_bytes", [1_000_001, 4_000_000])
def test_a_request_over_the_limit_is_refused_for_good(grpc_address: str, size_bytes: int) -> None:
    error = refusal(grpc_address, bytes(size_bytes))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "google.rpc.retryinfo-bin" not in trailers_of(error)


def test_a_compressed_bomb_is_refused(grpc_address: str) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        export(grpc_address, bytes(200_000_000), grpc.Compression.Gzip)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_without_a_database_both_kinds_of_sender_learn_when_to_come_back(
    grpc_address_without_database: str,
) -> None:
    error = refusal(grpc_address_without_database, write_protobuf([make_run()]))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    told = RetryInfo.FromString(trailers_of(error)["google.rpc.retryinfo-bin"])
    assert told.retry_delay.ToMilliseconds() >= 1000
    status = Status.FromString(trailers_of(error)["grpc-status-details-bin"])
    detail = RetryInfo()
    assert status.details[0].Unpack(detail)
    assert detail == told


def test_many_senders_at_once_lose_nothing(
    grpc_address: str, stored: Callable[[], list[str]]
) -> None:
    bodies = [write_protobuf([make_run(f"c{n:03}")]) for n in range(100)]
    with ThreadPoolExecutor(20) as senders:
        assert set(senders.map(lambda body: export(grpc_address, body), bodies)) == {b""}
    assert stored() == [f"c{n:03}" for n in range(100)]


def test_an_address_that_is_taken_is_told(grpc_address: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {grpc_address}"):
        GrpcDoor(grpc_address, 1000, 1)
