"""Requests travel as the standard variables say, and every answer has its verdict."""

import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
import trustme
from otlp import write_protobuf
from receiving import Receiver, Reply, receive_grpc, receive_http

from mltrace_otel.delivery.answer import Verdict
from mltrace_otel.delivery.transport import Transport, open_transport
from mltrace_otel.settings import read_settings

BODY = write_protobuf([])
PREFIX = "OTEL_EXPORTER_OTLP_"


def open_with(**variables: str) -> Transport:
    """Return the transport that variables ask for, of which the common prefix is left out."""
    return open_transport(
        read_settings({PREFIX + name: value for name, value in variables.items()})
    )


class Papers:
    """An authority of our own, with the certificates of a server and of a client."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._server = authority.issue_cert("127.0.0.1")
        self._authority = authority
        client = authority.issue_cert("a-program")
        self.authority = folder / "authority.pem"
        self.certificate = folder / "client.pem"
        self.key = folder / "client.key"
        authority.cert_pem.write_to_path(self.authority)
        client.cert_chain_pems[0].write_to_path(self.certificate)
        client.private_key_pem.write_to_path(self.key)

    def http(self, *, mutual: bool) -> ssl.SSLContext:
        """What a server over HTTP needs."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server.configure_cert(context)
        if mutual:
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def grpc(self, *, mutual: bool) -> grpc.ServerCredentials:
        """What a server over gRPC needs."""
        pair = (
            self._server.private_key_pem.bytes(),
            b"".join(each.bytes() for each in self._server.cert_chain_pems),
        )
        trusted = self._authority.cert_pem.bytes() if mutual else None
        return grpc.ssl_server_credentials([pair], trusted, mutual)


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@contextmanager
def receive(protocol: str, papers: Papers, *, mutual: bool) -> Iterator[Receiver]:
    secured = (
        receive_grpc(papers.grpc(mutual=mutual))
        if protocol == "grpc"
        else receive_http(tls=papers.http(mutual=mutual))
    )
    with secured as receiver:
        yield receiver


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_is_trusted_if_our_authority_vouches_for_it(protocol: str, papers: Papers) -> None:
    with receive(protocol, papers, mutual=False) as receiver:
        stranger = open_with(ENDPOINT=receiver.url, PROTOCOL=protocol, TIMEOUT="5")
        assert stranger.post(BODY).verdict is Verdict.POSTPONED
        stranger.close()
        assert receiver.accepted == []

        transport = open_with(
            ENDPOINT=receiver.url, PROTOCOL=protocol, CERTIFICATE=str(papers.authority)
        )
        assert transport.post(BODY).verdict is Verdict.DELIVERED
        transport.close()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_that_wants_to_know_us_is_told(protocol: str, papers: Papers) -> None:
    with receive(protocol, papers, mutual=True) as receiver:
        known = {
            "ENDPOINT": receiver.url,
            "PROTOCOL": protocol,
            "CERTIFICATE": str(papers.authority),
            "TIMEOUT": "5",
        }
        anonymous = open_with(**known)
        assert anonymous.post(BODY).verdict is Verdict.POSTPONED
        anonymous.close()

        transport = open_with(
            **known, CLIENT_KEY=str(papers.key), CLIENT_CERTIFICATE=str(papers.certificate)
        )
        assert transport.post(BODY).verdict is Verdict.DELIVERED
        transport.close()
        assert len(receiver.accepted) == 1


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DELIVERED),
        (202, Verdict.DELIVERED),
        (302, Verdict.BLOCKED),
        (400, Verdict.REFUSED),
        (401, Verdict.BLOCKED),
        (404, Verdict.BLOCKED),
        (408, Verdict.POSTPONED),
        (413, Verdict.REFUSED),
        (429, Verdict.POSTPONED),
        (500, Verdict.POSTPONED),
        (503, Verdict.POSTPONED),
    ],
)
def test_every_status_of_http_has_its_verdict(status: int, verdict: Verdict) -> None:
    with receive_http() as receiver:
        receiver.replies = deque([Reply(status, b"words", (("Location", "/elsewhere"),))])
        transport = open_with(ENDPOINT=receiver.url)
        answer = transport.post(BODY)
        transport.close()

    assert answer.verdict is verdict
    assert answer.message == ("" if verdict is Verdict.DELIVERED else f"HTTP {status}: words")
    assert len(receiver.headers) == 1, "a redirection is not followed"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("UNAVAILABLE", Verdict.POSTPONED),
        ("RESOURCE_EXHAUSTED", Verdict.POSTPONED),
        ("UNAUTHENTICATED", Verdict.BLOCKED),
        ("UNIMPLEMENTED", Verdict.BLOCKED),
        ("INVALID_ARGUMENT", Verdict.REFUSED),
    ],
)
def test_every_code_of_grpc_has_its_verdict(code: str, verdict: Verdict) -> None:
    with receive_grpc() as receiver:
        receiver.replies = deque([Reply(body=b"words", grpc=code)])
        transport = open_with(ENDPOINT=receiver.url, PROTOCOL="grpc")
        answer = transport.post(BODY)
        transport.close()

    assert answer.verdict is verdict
    assert answer.message == f"{code}: words"


def test_what_a_grpc_server_finds_too_large_is_refused_and_not_tried_for_ever() -> None:
    with receive_grpc() as receiver:
        transport = open_with(ENDPOINT=receiver.url, PROTOCOL="grpc")
        answer = transport.post(bytes(5_000_000))
        transport.close()

    assert answer.verdict is Verdict.REFUSED
    assert "larger than max" in answer.message


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_that_hangs_is_left_after_the_timeout(protocol: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        transport = open_with(ENDPOINT=url, PROTOCOL=protocol, TIMEOUT="0.3")
        assert transport.post(BODY).verdict is Verdict.POSTPONED
        transport.close()


@pytest.mark.parametrize(
    "words", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"]
)
def test_a_server_that_talks_nonsense_or_hangs_up_is_asked_again(words: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        transport = open_with(ENDPOINT=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert transport.post(BODY).verdict is Verdict.POSTPONED
        transport.close()
        thread.join()


def test_headers_of_traces_win_and_values_are_decoded() -> None:
    with receive_http() as receiver:
        transport = open_with(
            ENDPOINT="http://127.0.0.1:9",
            TRACES_ENDPOINT=f"{receiver.url}/custom",
            HEADERS="key=general",
            TRACES_HEADERS="key=of%20traces",
            COMPRESSION="gzip",
        )
        assert transport.post(BODY).verdict is Verdict.DELIVERED
        transport.close()

    (headers,) = receiver.headers
    assert headers["key"] == "of traces"
    assert headers[":path"] == "/custom"
    assert headers["content-encoding"] == "gzip"


def test_a_page_for_people_is_no_delivery() -> None:
    with receive_http() as receiver:
        receiver.replies = deque([Reply(200, b"<html>Hi", (("Content-Type", "text/html"),))])
        transport = open_with(ENDPOINT=receiver.url)
        answer = transport.post(BODY)
        transport.close()

    assert answer.verdict is Verdict.BLOCKED
