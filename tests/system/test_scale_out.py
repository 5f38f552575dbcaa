"""Two exporters on one database: whichever a request reaches, everything is stored once."""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from builders import make_run, read, wrote
from otlp import write_protobuf
from scraping import scrape
from services import Program

RUNS = 400
PER_REQUEST = 20
_READY = re.compile(r"mltrace is ready: panel (\S+)  OTLP/HTTP (\S+) ")


class Server(Program):
    """`mltrace serve` on a database."""

    def __init__(self, log: Path, database_url: str) -> None:
        ports = [f"--{each}=0" for each in ("port", "otlp-http-port", "otlp-grpc-port")]
        program = str(Path(sys.executable).with_name("mltrace"))
        self.panel = self.otlp_http = ""
        super().__init__(
            [program, "serve", "--metrics-interval=1", *ports],
            log,
            {"MLTRACE_DATABASE_URL": database_url},
        )

    def _answers(self, log: str) -> bool:
        ready = _READY.search(log)
        if ready:
            self.panel, self.otlp_http = ready.groups()
        return bool(ready)


@pytest.fixture
def servers(engine: sa.Engine, tmp_path: Path) -> Iterator[list[Server]]:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with Server(tmp_path / "one.log", url) as one, Server(tmp_path / "two.log", url) as two:
        yield [one, two]


def test_two_exporters_store_everything_once_and_count_alike(servers: list[Server]) -> None:
    runs = [
        make_run("step", 2 * step, io=[read(f"s{step - 1}"), wrote(f"s{step}")])
        for step in range(RUNS)
    ]
    bodies = [
        write_protobuf(runs[start : start + PER_REQUEST]) for start in range(0, RUNS, PER_REQUEST)
    ]
    # Each request reaches both, at about the same time, as after a time-out at a load balancer.
    requests = [(server, body) for body in bodies for server in servers]

    with ThreadPoolExecutor(8) as threads:
        statuses = set(threads.map(lambda request: send(*request), requests))

    assert statuses == {200}
    for server in servers:
        trace = httpx.get(f"{server.panel}/api/trace", params={"output": f"s{RUNS - 1}"}).json()
        metrics = scrape(server.panel)
        assert len(trace["nodes"]) == RUNS
        counted = 'mltrace_component_runs_total{component="step",outcome="succeeded"} '
        assert f"{counted}{RUNS}.0" in metrics
        assert httpx.get(f"{server.panel}/readyz").status_code == 200


def send(server: Server, body: bytes) -> int:
    headers = {"content-type": "application/x-protobuf"}
    url = f"{server.otlp_http}/v1/traces"
    return httpx.post(url, content=body, headers=headers, timeout=60).status_code
