"""What a server prints where nobody looks: lines of JSON and nothing else, whatever happens."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from builders import make_run
from otlp import write_protobuf
from services import Exporter

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = {"x-request-id": "asked-by-me", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture
def exporter(database_url: str, tmp_path: Path) -> Iterator[Exporter]:
    with Exporter(tmp_path, "--log-level=debug", database_url=database_url) as running:
        yield running


def read_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "exporter.log").read_text().splitlines()]


def send_garbage(address: str) -> None:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"\x00\xffgarbage\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def test_every_line_is_json_of_one_schema(exporter: Exporter, tmp_path: Path) -> None:
    body = write_protobuf([make_run("step")])
    protobuf = {"content-type": "application/x-protobuf", **CALLER}
    for address in (exporter.panel, exporter.otlp_http, exporter.otlp_grpc):
        send_garbage(address)
    httpx.get(f"{exporter.panel}/readyz", headers={"x-request-id": "probe"}).raise_for_status()
    asked = httpx.get(f"{exporter.panel}/api/runs", headers=CALLER)
    sent = httpx.post(f"{exporter.otlp_http}/v1/traces", content=body, headers=protobuf)
    for _ in range(5):
        httpx.post(f"{exporter.otlp_http}/v1/traces", content=b"\xff", headers=protobuf)
    with grpc.insecure_channel(exporter.otlp_grpc) as channel:
        export: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT)
        _, call = export.with_call(body, metadata=tuple(CALLER.items()))
    assert exporter.stop() == 0

    lines = read_lines(tmp_path)
    assert all(list(line)[:4] == ["time", "level", "logger", "message"] for line in lines)
    assert sum("mltrace is ready" in line["message"] for line in lines) == 1
    assert lines[-1]["message"] == "mltrace has stopped."
    assert {line["level"] for line in lines if line.get("request_id") == "probe"} == {"DEBUG"}
    assert asked.headers["x-request-id"] == sent.headers["x-request-id"] == "asked-by-me"
    assert ("x-request-id", "asked-by-me") in [tuple(pair) for pair in call.initial_metadata()]
    answered = {
        (line["path"], line["status"])
        for line in lines
        if line.get("request_id") == "asked-by-me"
        and line.get("trace_id") == TRACE
        and "status" in line
    }
    assert answered == {
        ("/api/runs", 200),
        ("/v1/traces", 200),
        ("/v1/traces", 400),
        (EXPORT, "OK"),
    }
    refused = [line["count"] for line in lines if line.get("event") == "rejected"]
    assert refused == [1, 4]


def test_what_keeps_it_from_starting_is_a_line_too(tmp_path: Path, database_url: str) -> None:
    with pytest.raises(AssertionError, match="ended with 2"):
        Exporter(tmp_path, "--request-limit=1", database_url=database_url).start()
    (line,) = read_lines(tmp_path)
    assert (line["level"], line["message"]) == (
        "CRITICAL",
        "--request-limit must be from 1024 to 1073741824 bytes.",
    )
