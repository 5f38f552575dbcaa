"""Runs a second through each door, from request to commit, beside a bare COPY of the same rows.

Starts `mltrace up`, and a sender in a process of its own with requests encoded beforehand: 512 runs
a request, a few requests at once. A run is what the client makes of a decorated function in a git
repository: 14 attributes, among them 1.2 kB of code, 4 links and 2 test results. Then the rows that
were stored are copied into a fresh database of the same PostgreSQL with the same keys and indexes,
2,048 runs a commit: what it could take if nothing had to be received, decoded or looked up. And as
many rows of other runs into the tables that hold all that was sent, which is slower.

Prints one JSON object a line: `runs_per_s` of a door or of the COPY, `ratio` of door to COPY (and
`ratio_full` of the last round, for which tables were nearly as full, to that into full ones), CPU
seconds per 1,000 runs of the exporter and of PostgreSQL, and the exporter's peak memory so far.
Run with `python benchmarks/ingest.py [--runs N] [--senders N] [--rounds N]` where nothing else
runs. With `--rounds 13` more than 1,000,000 runs go through each door, and memory must not grow.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from rows.bare_copy import measure_copies

from mltrace_otel.contract import attributes as names

RUNS_PER_REQUEST = 512
START_NS = 1_767_225_600_000_000_000
COMPONENTS = 20
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TICKS = os.sysconf("SC_CLK_TCK")
Value = str | bool | int | float | tuple[str, ...]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=81_920)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    doors: dict[str, Callable[[str], Callable[[bytes], None]]] = {
        "http": open_http,
        "grpc": open_grpc,
    }
    with tempfile.TemporaryDirectory() as home, run_server(Path(home)) as (addresses, pid):
        database = f"postgresql+psycopg2://postgres@/postgres?host={home}/postgres&port=5432"
        figures: list[dict[str, Any]] = [
            {
                "way": name,
                **measure(pid, opener, addresses[name], door * options.rounds + each, options),
            }
            for door, (name, opener) in enumerate(doors.items())
            for each in range(options.rounds)
        ]
        fresh, full = measure_copies(database, options.runs * len(doors))
    print(json.dumps({"way": "copy", "runs_per_s": round(fresh)}))
    print(json.dumps({"way": "copy into full tables", "runs_per_s": round(full)}))
    for line in figures:
        ratio = {"ratio": round(line["runs_per_s"] / fresh, 3)}
        if line is figures[-1]:
            ratio["ratio_full"] = round(line["runs_per_s"] / full, 3)
        print(json.dumps({**line, **ratio}))


def measure(
    pid: int,
    opener: Callable[[str], Callable[[bytes], None]],
    address: str,
    number: int,
    options: argparse.Namespace,
) -> dict[str, float]:
    """Send one round through a door and return what it took."""
    before = read_cpu_s(pid)
    rate = measure_door(opener, address, number, options.runs, options.senders)
    took = [
        (after - at) * 1000 / options.runs
        for at, after in zip(before, read_cpu_s(pid), strict=True)
    ]
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert peak
    return {
        "runs_per_s": round(rate),
        "exporter_cpu_s": round(took[0], 3),
        "postgres_cpu_s": round(took[1], 3),
        "peak_mb": round(int(peak[1]) / 1000),
    }


def read_cpu_s(pid: int) -> tuple[float, float]:
    """Return the CPU seconds used by a process, and by all that it started."""
    used: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            # Parent, then time in user mode and in the kernel, then the same of ended children.
            used[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    family, grown = {pid}, True
    while grown:
        more = {child for child, (parent, _) in used.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return used[pid][1], sum(used[child][1] for child in family - {pid})


@contextmanager
def run_server(home: Path) -> Iterator[tuple[Mapping[str, str], int]]:
    """Run `mltrace up`; the value has the addresses of its doors, and the process's id."""
    program = Path(sys.executable).with_name("mltrace")
    ports = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [str(program), "up", "--home", str(home), *ports], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    ready = process.stdout.readline()
    found = re.search(r"OTLP/HTTP http://(?P<http>\S+)  OTLP/gRPC (?P<grpc>\S+)", ready)
    assert found, ready
    try:
        yield found.groupdict(), process.pid
    finally:
        process.terminate()
        process.wait()


def measure_door(
    opener: Callable[[str], Callable[[bytes], None]],
    address: str,
    number: int,
    runs: int,
    senders: int,
) -> float:
    """Return runs per second, measured in the sender's own process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send, args=(opener, address, number, runs, senders, sender))
    process.start()
    duration_s: float = receiver.recv()
    process.join()
    return runs / duration_s


def send(  # noqa: PLR0913, PLR0917 - what a new process must be told
    opener: Callable[[str], Callable[[bytes], None]],
    address: str,
    number: int,
    runs: int,
    senders: int,
    answer: Any,  # noqa: ANN401 - a multiprocessing Connection, generic in newer stubs only
) -> None:
    """Send all requests, some at once, and answer the seconds it took until the last commit."""
    first = number * runs
    bodies = [
        encode_request(range(start, start + RUNS_PER_REQUEST))
        for start in range(first, first + runs, RUNS_PER_REQUEST)
    ]
    shares = [bodies[index::senders] for index in range(senders)]
    with ThreadPoolExecutor(senders) as threads:
        started = time.perf_counter()
        list(threads.map(lambda share: send_share(opener(address), share), shares))
        answer.send(time.perf_counter() - started)


def send_share(post: Callable[[bytes], None], bodies: Iterable[bytes]) -> None:
    """Send requests one after the other."""
    for body in bodies:
        post(body)


def open_http(address: str) -> Callable[[bytes], None]:
    """Return a function that posts a request and returns when it is answered."""
    connection = HTTPConnection(address)

    def post(body: bytes) -> None:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    return post


def open_grpc(address: str) -> Callable[[bytes], None]:
    """Return a function that calls Export and returns when it is answered."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
    call = grpc.insecure_channel(address).unary_unary(METHOD)
    return lambda body: None if call(body) == b"" else sys.exit("no success")


def encode_request(numbers: Iterable[int]) -> bytes:
    """Return a request that holds the runs of these numbers."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(tell({names.SERVICE_NAME: "bench", names.HOST_NAME: "here"}))
    group.scope_spans.add().spans.extend(encode_run(number) for number in numbers)
    return request.SerializeToString()


def encode_run(number: int) -> Span:
    """Return a run that read what the run before it wrote, and a file that all runs read."""
    component = f"component-{number % COMPONENTS}"
    start_ns = START_NS + number * 1_000_000
    span = Span(
        name=component,
        trace_id=(number + 1).to_bytes(16, "big"),
        span_id=(number + 1).to_bytes(8, "big"),
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + 900_000,
        attributes=tell(
            {
                names.COMPONENT_NAME: component,
                names.COMPONENT_OWNER: "bench",
                names.COMPONENT_DESCRIPTION: "Makes a report of the newest features.",
                names.COMPONENT_TAGS: ("bench",),
                names.RUN_STALENESS_THRESHOLD: 2_592_000.0,
                names.CODE_FUNCTION_NAME: f"bench.{component}",
                names.CODE_FILE_PATH: "pipelines/bench.py",
                names.CODE_LINE_NUMBER: 12,
                names.CODE_SNAPSHOT: f"def {component}(): ...\n" + "    # a line of code\n" * 60,
                names.VCS_REVISION: "0123456789abcdef0123456789abcdef01234567",
                names.VCS_REF: "main",
                names.VCS_REPOSITORY: "https://git.example.com/bench.git",
                names.VCS_TAGS: ("v1",),
                names.VCS_DIRTY: False,
            }
        ),
    )
    for direction, name in (
        ("input", f"features-{number - 1}.parquet"),
        ("input", "config.yaml"),
        ("output", f"features-{number}.parquet"),
        ("output", f"report-{number}.json"),
    ):
        told: dict[str, Value] = {
            names.IO_DIRECTION: direction,
            names.IO_NAME: name,
            names.IO_TYPE: "data",
            names.IO_DIGEST: f"xxh128:{hash(name) & (2**64 - 1):032x}",
            names.IO_SIZE: 51_200,
        }
        span.links.add(trace_id=span.trace_id, span_id=span.span_id, attributes=tell(told))
    for case in ("testRange", "testNulls"):
        told = {
            names.TEST_SUITE: "FrameTest",
            names.TEST_CASE: case,
            names.TEST_STATUS: "pass",
            names.TEST_PHASE: "after",
            names.TEST_DURATION: number % 1000 / 1e6,
        }
        span.events.add(name=names.TEST_EVENT, attributes=tell(told))
    return span


def tell(values: Mapping[str, Value]) -> list[KeyValue]:
    """Return attributes."""
    return [tell_one(key, type(value).__name__, value) for key, value in values.items()]


@lru_cache(4096)
def tell_one(key: str, kind: str, value: Value) -> KeyValue:
    """Return an attribute. `kind` tells 1 from True; most are the same of all runs."""
    del kind
    return KeyValue(key=key, value=encode_value(value))


def encode_value(value: Value) -> AnyValue:
    """Return a value."""
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=v) for v in value]))


if __name__ == "__main__":
    main()
