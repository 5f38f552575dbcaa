"""Each configuration of the collector runs: spans go in, runs come out at the exporter's doors."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from builders import make_run
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from otlp import write_protobuf
from receiving import Receiver, receive_grpc, receive_http
from services import Collector, Program, await_value, find_free_ports, require
from serving import serve_grpc, serve_http

from mltrace_exporter.ingest import Ingest

pytestmark = pytest.mark.collector

NOBODY = "http://127.0.0.1:9"
DNS_ADDRESS = ("127.0.0.53", 53)
EXPORTERS = ("127.0.0.1", "127.0.0.2")


@pytest.fixture
def ingest(engine: sa.Engine) -> Iterator[Ingest]:
    ingest = Ingest(engine)
    yield ingest
    ingest.close()


@pytest.fixture
def stored(engine: sa.Engine) -> Callable[[], list[str]]:
    """Returns the components of the stored runs."""

    def read() -> list[str]:
        with engine.connect() as connection:
            query = sa.text("SELECT component FROM component_run ORDER BY component")
            return list(connection.scalars(query))

    return read


def send(collector: Collector, component: str) -> int:
    return httpx.post(
        f"{collector.otlp_http}/v1/traces",
        content=write_protobuf([make_run(component, resource={"service.name": "trainer"})]),
        headers={"content-type": "application/x-protobuf"},
        timeout=30,
    ).status_code


def test_minimal_answers_when_the_runs_are_stored(
    tmp_path: Path, ingest: Ingest, stored: Callable[[], list[str]]
) -> None:
    (port,) = find_free_ports(1)
    with Collector(tmp_path, f"http://127.0.0.1:{port}", "minimal.yaml") as collector:
        assert send(collector, "refused") == 503
        with serve_http(ingest, port=port):
            assert send(collector, "taken") == 200
            assert stored() == ["taken"]


def test_durable_loses_nothing_when_it_is_killed_in_between(
    tmp_path: Path, ingest: Ingest, stored: Callable[[], list[str]]
) -> None:
    (port,) = find_free_ports(1)
    with Collector(tmp_path, f"http://127.0.0.1:{port}", "durable.yaml") as collector:
        names = [f"step {number:02}" for number in range(30)]
        assert {send(collector, name) for name in names[:20]} == {200}
        collector.kill()
        collector.start()
        assert {send(collector, name) for name in names[20:]} == {200}
        assert stored() == []
        with serve_http(ingest, port=port):
            await_value(lambda: len(stored()) >= len(names), "the arrival of all runs")
            assert collector.stop() == 0
        assert stored() == names


def test_beside_tempo_both_have_every_span_and_neither_waits_for_the_other(
    tmp_path: Path, ingest: Ingest, stored: Callable[[], list[str]]
) -> None:
    with serve_http(ingest) as exporter, receive_grpc() as tempo:
        variables = {"MLTRACE_OTHER_BACKEND": tempo.url.removeprefix("http://")}
        with Collector(tmp_path, exporter, "beside-tempo.yaml", variables) as collector:
            assert send(collector, "first") == 200
            await_value(lambda: stored() == ["first"], "the run at the exporter")
            await_value(lambda: tempo.runs("first"), "the span at the other backend")
            tempo.refuses = lambda _: True
            assert {send(collector, f"later {number}") for number in range(5)} == {200}
            await_value(lambda: len(stored()) == 6, "the runs at the exporter")


def test_span_metrics_count_by_component(
    tmp_path: Path, ingest: Ingest, stored: Callable[[], list[str]]
) -> None:
    with serve_http(ingest) as exporter, receive_http() as prometheus:
        variables = {"MLTRACE_METRICS": prometheus.url, "MLTRACE_METRICS_INTERVAL": "500ms"}
        with Collector(tmp_path, exporter, "span-metrics.yaml", variables) as collector:
            for _ in range(3):
                assert send(collector, "training") == 200
            await_value(lambda: stored() == ["training"] * 3, "the runs at the exporter")
            await_value(lambda: count_calls(prometheus, "training") == 3, "the metrics")
    assert {headers[":path"] for headers in prometheus.headers} == {"/v1/metrics"}
    assert {metric.name for metric in read_metrics(prometheus)} == {
        "mltrace.spans.calls",
        "mltrace.spans.duration",
    }


def read_metrics(receiver: Receiver) -> list[Metric]:
    requests = [ExportMetricsServiceRequest.FromString(body) for body in receiver.accepted]
    return [
        metric
        for request in requests
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    ]


def count_calls(receiver: Receiver, component: str) -> int:
    label = KeyValue(key="mltrace.component.name")
    label.value.string_value = component
    points = [
        point
        for metric in read_metrics(receiver)
        if metric.name == "mltrace.spans.calls"
        for point in metric.sum.data_points
        if label in point.attributes
    ]
    return max((point.as_int for point in points), default=0)


class Kafka(Program):
    """What answers as a Kafka broker with one topic, in memory."""

    def __init__(self, log: Path) -> None:
        (port,) = find_free_ports(1)
        self.variables = {
            "MLTRACE_KAFKA_BROKERS": f"127.0.0.1:{port}",
            "MLTRACE_KAFKA_TOPIC": "runs",
        }
        super().__init__([str(require("kafka")), str(port), "runs"], log)

    def _answers(self, log: str) -> bool:
        return log.startswith("ready")


def test_kafka_in_between_loses_nothing_when_the_reader_dies_and_the_exporter_is_away(
    tmp_path: Path, ingest: Ingest, stored: Callable[[], list[str]]
) -> None:
    (port,) = find_free_ports(1)
    names = [f"step {number:02}" for number in range(30)]
    with (
        Kafka(tmp_path / "kafka.log") as kafka,
        Collector(tmp_path / "to", NOBODY, "to-kafka.yaml", kafka.variables) as collector,
        Collector(
            tmp_path / "from", f"http://127.0.0.1:{port}", "from-kafka.yaml", kafka.variables
        ) as reader,
    ):
        with serve_http(ingest, port=port):
            assert {send(collector, name) for name in names[:10]} == {200}
            await_value(lambda: len(stored()) == 10, "the arrival of the first runs")
        assert {send(collector, name) for name in names[10:20]} == {200}
        reader.kill()
        assert {send(collector, name) for name in names[20:]} == {200}
        with serve_http(ingest, port=port):
            reader.start()
            await_value(lambda: len(stored()) >= len(names), "the arrival of all runs")
            assert [reader.stop(), collector.stop()] == [0, 0]
        assert stored() == names


@contextmanager
def resolve(addresses: tuple[str, ...]) -> Iterator[None]:
    """Be a name server that gives every name these addresses, until the block ends."""
    if os.geteuid() != 0:
        pytest.skip("only root may be a name server, on port 53")
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(DNS_ADDRESS)

    def serve() -> None:
        while True:
            query, sender = server.recvfrom(512)
            if not query:
                return
            server.sendto(answer_query(query, addresses), sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", DNS_ADDRESS)
        thread.join()
        server.close()


def answer_query(query: bytes, addresses: tuple[str, ...]) -> bytes:
    """Return the answer to a query of one question, as RFC 1035 has it."""
    end = query.index(b"\0", 12) + 5  # after the name: type and class
    asks_addresses = query[end - 4 : end - 2] == b"\0\x01"
    found = addresses if asks_addresses else ()
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
    # Each answer: a pointer to the question's name, type A, class IN, its time to live, four bytes.
    records = (struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(each) for each in found)
    return head + query[12:end] + b"".join(records)


def test_a_gateway_spreads_over_exporters_and_leaves_out_the_one_that_is_away(
    tmp_path: Path, engine: sa.Engine, stored: Callable[[], list[str]]
) -> None:
    (port,) = find_free_ports(1)
    first, second = Ingest(engine), Ingest(engine)
    variables = {"MLTRACE_EXPORTERS": f"dns://{DNS_ADDRESS[0]}/exporters.test:{port}"}
    with (
        resolve(EXPORTERS),
        serve_grpc(second, address=f"{EXPORTERS[1]}:{port}"),
        Collector(tmp_path, NOBODY, "gateway.yaml", variables) as collector,
    ):
        with serve_grpc(first, address=f"{EXPORTERS[0]}:{port}"):
            sent = send_until(collector, lambda: bool(read_stored(first) and read_stored(second)))
        sent += [f"alone {number}" for number in range(3)]
        assert {send(collector, name) for name in sent[-3:]} == {200}
        await_value(lambda: len(stored()) == len(sent), "the arrival of all runs")
        assert stored() == sorted(sent)
    first.close()
    second.close()


def send_until(collector: Collector, is_enough: Callable[[], bool]) -> list[str]:
    """Send runs, one after the other, until both exporters had some; return their names."""
    sent: list[str] = []

    def send_one() -> bool:
        sent.append(f"step {len(sent):03}")
        assert send(collector, sent[-1]) == 200
        return is_enough()

    await_value(send_one, "runs at both exporters", every_s=0.1)
    return sent


def read_stored(ingest: Ingest) -> float:
    """Return how many runs this exporter stored."""
    metrics = {metric.name: metric for metric in ingest._tally.collect()}
    (stored,) = [
        sample.value
        for sample in metrics["mltrace_exporter_spans"].samples
        if sample.name.endswith("_total") and sample.labels["result"] == "stored"
    ]
    return stored
