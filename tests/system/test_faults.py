"""A running exporter under load is killed, crowded and kept waiting: what it answered is stored."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from builders import make_run, read, wrote
from otlp import write_protobuf
from services import Exporter

# `make soak` asks for twenty.
KILLS = int(os.environ.get("MLTRACE_TEST_KILLS", "2"))
SENDERS = 4
RUNS_PER_REQUEST = 20
CONNECTIONS = 1000
PROTOBUF = {"content-type": "application/x-protobuf"}


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    with Exporter(tmp_path) as running:
        yield running


def send(exporter: Exporter, body: bytes, deadline_s: float = 120) -> None:
    """Send a request until it is answered with success, as spools and collectors do."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        try:
            answer = httpx.post(f"{exporter.otlp_http}/v1/traces", content=body, headers=PROTOBUF)
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.is_success:
            return
        assert answer.status_code == 503, answer.text
        time.sleep(float(answer.headers["retry-after"]))
    pytest.fail(f"no success within {deadline_s} s")


def read_total(exporter: Exporter) -> int:
    page = httpx.get(f"{exporter.panel}/metrics").raise_for_status().text
    name = 'mltrace_component_runs_total{component="step",outcome="succeeded"} '
    (line,) = [line for line in page.splitlines() if line.startswith(name)]
    return int(float(line.removeprefix(name)))


@pytest.mark.timeout(180 + 30 * KILLS)
def test_kills_under_load_lose_nothing_and_double_nothing(exporter: Exporter) -> None:
    stop, sent = threading.Event(), [0] * SENDERS

    def keep_sending(sender: int) -> None:
        while not stop.is_set():
            first = sent[sender]
            runs = [
                make_run(
                    "step", number, io=[read(f"{sender}-{number}"), wrote(f"{sender}-{number + 1}")]
                )
                for number in range(first, first + RUNS_PER_REQUEST)
            ]
            send(exporter, write_protobuf(runs))
            sent[sender] += RUNS_PER_REQUEST

    with ThreadPoolExecutor(SENDERS) as threads:
        senders = [threads.submit(keep_sending, number) for number in range(SENDERS)]
        try:
            for kill in range(KILLS):
                # Not always at the same point of its work.
                time.sleep(0.5 + 0.37 * kill % 1)
                exporter.kill()
                exporter.start()
            time.sleep(0.5)
        finally:
            stop.set()
        for sender in senders:
            sender.result()

    assert sum(sent) > 0
    assert read_total(exporter) == sum(sent)
    for number, count in enumerate(sent):
        trace = httpx.get(
            f"{exporter.panel}/api/trace", params={"output": f"{number}-{min(count, 1000)}"}
        )
        # Each run has exactly one run before it: a doubled or lost one would break the chain.
        assert len(trace.raise_for_status().json()["nodes"]) == min(count, 1000)


def connect(exporter: Exporter) -> socket.socket:
    address = urlsplit(exporter.otlp_http)
    return socket.create_connection((address.hostname, address.port), timeout=60)


def write_head(size_bytes: int) -> bytes:
    return (
        "POST /v1/traces HTTP/1.1\r\nhost: test\r\nconnection: close\r\n"
        f"content-type: application/x-protobuf\r\ncontent-length: {size_bytes}\r\n\r\n"
    ).encode()


def test_a_thousand_connections_at_once_are_all_answered(exporter: Exporter) -> None:
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
