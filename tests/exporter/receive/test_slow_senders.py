"""Senders that trickle, on plain sockets: none is waited for without end."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
from builders import make_run
from otlp import write_protobuf

HEAD = (
    b"POST /v1/traces HTTP/1.1\r\nhost: test\r\n"
    b"content-type: application/x-protobuf\r\ncontent-length: 100000\r\n\r\n"
)
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_HEADERS = 4


@contextmanager
def trickle(address: str, beginning: bytes, drop: bytes) -> Iterator[bytearray]:
    """Send a beginning, then drops; yield what was answered once the server has closed."""
    host, _, port = address.rpartition(":")
    answer = bytearray()
    with socket.create_connection((host, int(port)), timeout=0.1) as sender:
        sender.sendall(beginning)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            try:
                sender.sendall(drop)
                told = sender.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not told:
                break
            answer += told
        assert time.monotonic() < end, "the server waits without end"
        yield answer


def test_over_http_they_are_told_to_come_again(
    hasty_http_url: str, stored: Callable[[], list[str]]
) -> None:
    begun = time.monotonic()
    with trickle(hasty_http_url.removeprefix("http://"), HEAD, b"x") as answer:
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in answer
        assert b"--request-timeout" in answer
    assert time.monotonic() - begun > 0.9
    assert stored() == []


def frame(kind: int, payload: bytes, flags: int = 0, stream: int = 0) -> bytes:
    """Return a frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def header(name: bytes, value: bytes) -> bytes:
    """Return a header as HPACK's literal without indexing (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def test_over_grpc_their_connection_is_closed(
    hasty_grpc_address: str, stored: Callable[[], list[str]]
) -> None:
    headers = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": METHOD.encode(),
        b":authority": b"test",
        b"content-type": b"application/grpc",
        b"te": b"trailers",
    }
    block = b"".join(header(*pair) for pair in headers.items())
    prefix = b"\0" + (100_000).to_bytes(4)
    beginning = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(
        (
            frame(SETTINGS, b""),
            frame(HEADERS, block, END_HEADERS, stream=1),
            frame(DATA, prefix, stream=1),
        )
    )
    begun = time.monotonic()
    with trickle(hasty_grpc_address, beginning, frame(DATA, b"x", stream=1)) as answer:
        assert answer
    assert time.monotonic() - begun > 1.5
    assert stored() == []


def test_over_grpc_others_go_on_when_their_connection_is_renewed(
    hasty_grpc_address: str, stored: Callable[[], list[str]]
) -> None:
    sent = 0
    with grpc.insecure_channel(hasty_grpc_address) as channel:
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            export(write_protobuf([make_run("a")]), timeout=10)
            sent += 1
    assert len(stored()) == sent > 10
