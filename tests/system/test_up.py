"""``mltrace up`` and ``mltrace serve`` as real processes, spoken to as their users would."""

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from builders import make_run
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from otlp import write_json, write_protobuf
from scraping import scrape

from mltrace_otel.contract import attributes as names

READY = re.compile(
    r"mltrace is ready: panel (?P<panel>http://\S+)  OTLP/HTTP (?P<http>http://\S+)  "
    r"OTLP/gRPC (?P<grpc>\S+)  data (?P<data>.+)\n"
)
ANY_PORTS = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"]
PROTOBUF = {"content-type": "application/x-protobuf"}


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[str]"
    panel: str
    http: str
    grpc: str
    data: str

    def components(self) -> list[str]:
        """The components of all runs, newest run first."""
        page = httpx.get(f"{self.panel}/api/runs").json()
        return [run["component"] for run in page["items"]]

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        return httpx.post(f"{self.http}/v1/traces", content=body, headers=headers).status_code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [str(Path(sys.executable).with_name("mltrace")), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )


@contextmanager
def running(*arguments: str) -> Iterator[Server]:
    process = start(*arguments)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        ready = READY.fullmatch(line)
        assert ready, f"{line!r} {process.communicate()}"
        yield Server(process, **ready.groupdict())
    finally:
        process.kill()
        process.communicate()


def up(home: Path) -> list[str]:
    return ["up", "--home", str(home), "--metrics-interval=1", *ANY_PORTS]


def serve(database_url: str) -> list[str]:
    return ["serve", "--database-url", database_url, "--log-format=text", *ANY_PORTS]


def await_true(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def postgres_runs(home: Path) -> bool:
    """Say whether any process works in the data directory, as all of PostgreSQL's do."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").samefile(home / "postgres"):
                return True
        except OSError:
            continue
    return False


def run_component(name: str, exporter: SpanExporter) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span(name) as span:
        span.set_attribute(names.COMPONENT_NAME, name)
    provider.shutdown()


def test_what_is_sent_through_any_door_is_there_also_after_a_restart(tmp_path: Path) -> None:
    with running(*up(tmp_path)) as server:
        assert server.data == str(tmp_path)
        assert httpx.get(f"{server.panel}/healthz").text == "ok\n"
        assert server.post(write_protobuf([make_run("by-protobuf", 1)]), PROTOBUF) == 200
        json_headers = {"content-type": "application/json"}
        assert server.post(write_json([make_run("by-json", 2)]), json_headers) == 200
        packed = gzip.compress(write_protobuf([make_run("by-gzip", 3)]))
        assert server.post(packed, {**PROTOBUF, "content-encoding": "gzip"}) == 200
        traces = f"{server.http}/v1/traces"
        run_component("by-sdk-http", HttpExporter(traces, compression=Compression.Gzip))
        run_component("by-sdk-grpc", GrpcExporter(server.grpc, insecure=True))
        sent = ["by-sdk-grpc", "by-sdk-http", "by-gzip", "by-json", "by-protobuf"]
        assert server.components() == sent
        metrics = scrape(server.panel)
        assert (
            'mltrace_component_runs_total{component="by-gzip",outcome="succeeded"} 1.0' in metrics
        )
        assert httpx.get(server.panel, follow_redirects=True).status_code == 200
        assert server.stop(signal.SIGTERM) == 0
        assert not postgres_runs(tmp_path)
    with running(*up(tmp_path)) as server:
        assert server.components() == sent
        assert server.stop(signal.SIGINT) == 0
        assert not postgres_runs(tmp_path)
        assert server.process.communicate() == ("", "")


def test_a_killed_server_leaves_no_database_behind_and_loses_nothing(tmp_path: Path) -> None:
    with running(*up(tmp_path)) as server:
        assert server.post(write_protobuf([make_run("kept")]), PROTOBUF) == 200
        server.process.kill()
    with running(*up(tmp_path)) as server:
        assert server.components() == ["kept"]
        server.process.kill()
    await_true(lambda: not postgres_runs(tmp_path))


def test_requests_in_flight_are_answered_before_the_server_stops(tmp_path: Path) -> None:
    accepted: list[str] = []
    with running(*up(tmp_path)) as server:

        def send(sender: int) -> None:
            with httpx.Client() as client:
                for serial in range(10_000):
                    run = make_run(f"c-{sender}-{serial}")
                    body = write_protobuf([run])
                    try:
                        answer = client.post(
                            f"{server.http}/v1/traces", content=body, headers=PROTOBUF
                        )
                    except httpx.TransportError:
                        return
                    if answer.status_code != 200:
                        return
                    accepted.append(run.component)

        senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for sender in senders:
            sender.start()
        await_true(lambda: len(accepted) > 100)
        assert server.stop() == 0
        for sender in senders:
            sender.join()
    with running(*up(tmp_path)) as server:
        found = {item["name"] for item in httpx.get(f"{server.panel}/api/components").json()}
    assert set(accepted) <= found


def test_a_request_that_never_ends_cannot_keep_the_server(tmp_path: Path) -> None:
    with running(*up(tmp_path)) as server:
        host, port = server.http.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as sender:
            sender.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 9\r\n\r\n{"
            )
            await_true(lambda: httpx.get(f"{server.panel}/healthz").status_code == 200)
            server.process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(1.5)
            started = time.monotonic()
            assert server.stop(signal.SIGINT) == 0
            assert time.monotonic() - started < 10


def test_a_port_that_is_taken_is_told_in_one_sentence_before_anything_is_touched(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(*up(tmp_path), "--otlp-grpc-port", str(taken.getsockname()[1]))
        out, complaint = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert complaint.startswith("mltrace: Port ")
    assert complaint.endswith("choose another port with --otlp-grpc-port.\n")
    assert list(tmp_path.iterdir()) == []


def test_serve_uses_the_database_it_is_given(database_url: str) -> None:
    with running(*serve(database_url)) as server:
        assert server.post(write_protobuf([make_run("given")]), PROTOBUF) == 200
        assert server.components() == ["given"]
        assert server.stop() == 0
