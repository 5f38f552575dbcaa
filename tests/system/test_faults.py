"""A running exporter under load is killed, crowded and kept waiting: what it answered is stored."""

import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from builders import make_run
from loading import check_stored_once, keep_sending, read_total, send
from otlp import write_protobuf
from services import Exporter

# `make soak` asks for twenty.
KILLS = int(os.environ.get("MLTRACE_TEST_KILLS", "2"))
CONNECTIONS = 1000


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    with Exporter(tmp_path) as running:
        yield running


@pytest.mark.timeout(180 + 30 * KILLS)
def test_kills_under_load_lose_nothing_and_double_nothing(exporter: Exporter) -> None:
    with keep_sending(exporter) as load:
        for kill in range(KILLS):
            # Not always at the same point of its work.
            time.sleep(0.5 + 0.37 * kill % 1)
            exporter.kill()
            exporter.start()
        time.sleep(0.5)
    check_stored_once(exporter, load)


def connect(exporter: Exporter) -> socket.socket:
    address = urlsplit(exporter.otlp_http)
    return socket.create_connection((address.hostname, address.port), timeout=60)


def write_head(size_bytes: int) -> bytes:
    return (
        "POST /v1/traces HTTP/1.1\r\nhost: test\r\nconnection: close\r\n"
        f"content-type: application/x-protobuf\r\ncontent-length: {size_bytes}\r\n\r\n"
    ).encode()


@pytest.fixture
def few_files() -> Iterator[None]:
    """What is started may open few files until it asks for more, as under common shells."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CONNECTIONS:
        pytest.skip("this user may not open enough files for so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_a_thousand_connections_at_once_are_all_answered(exporter: Exporter) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CONNECTIONS, hard))
    body = write_protobuf([make_run("step")])
    sockets = [connect(exporter) for _ in range(CONNECTIONS)]
    for each in sockets:
        each.sendall(write_head(len(body)) + body)
    for each in sockets:
        assert each.recv(100).startswith(b"HTTP/1.1 200")
        each.close()
    assert read_total(exporter) == 1


def test_senders_that_trickle_keep_no_other_waiting(exporter: Exporter) -> None:
    slow = [connect(exporter) for _ in range(100)]
    for each in slow:
        each.sendall(write_head(1_000_000) + b"\x0a")
    begun = time.monotonic()
    send(exporter, write_protobuf([make_run("step")]), deadline_s=10)
    assert time.monotonic() - begun < 10
    for each in slow:
        each.close()
    send(exporter, write_protobuf([make_run("step")]), deadline_s=10)
    assert read_total(exporter) == 2
