"""What dashboards ask, after `mltrace demo`: its PostgreSQL, and a Prometheus that scraped it.

The demo's own server is scraped while the pipeline runs; its PostgreSQL is asked as the role that
Grafana gets. Beside those of the demo a component runs whose outputs have profiles, and one that is
stale.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from alerting import Prometheus
from boards import Json, Query, read_boards
from builders import make_run, read, wrote
from demo_server import Demo
from interpolation import Range, Values, expand_promql, expand_sql
from otlp import write_protobuf
from services import REPOSITORY, await_value, require

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.model import Run

RATE_INTERVAL = "8s"
"""$__rate_interval where there is a scrape a second: wide enough for a slow machine."""

_READER = "mltrace_grafana"
_ROLE = REPOSITORY / "dashboards" / "provisioning" / "reader.sql"
_PROGRAM = Path(__file__).parent / "system" / "profiled_pipeline.py"
# The flags of the demo, and the newest component for four times.
_SCRAPED = """
    sum(mltrace_component_flagged_outputs) == 200
    and on () count_over_time(mltrace_component_runs_total{component="report",
        outcome="succeeded"}[8s]) >= 4
"""
# A run that was counted between two scrapes.
_COUNTED = 'increase(mltrace_component_run_duration_seconds_count{component="report"}[8s]) > 0'
_RECENT_COMPONENTS = (
    "SELECT DISTINCT component FROM mltrace_ro.recent_runs WHERE $__timeFilter(started_at)"
)


@dataclass(frozen=True)
class Stack:
    """What the dashboards ask."""

    panel: str
    prometheus: str
    reader: sa.Engine
    range: Range
    components: list[str]

    def ask_postgres(self, sql: str, variables: Values) -> list[dict[str, Any]]:
        """Return the rows of a query, as Grafana's role reads them."""
        with self.reader.connect() as connection:
            answer = connection.exec_driver_sql(expand_sql(sql, variables, self.range))
            return [dict(row) for row in answer.mappings()]

    def ask_prometheus(self, query: Query, variables: Values) -> list[dict[str, Any]]:
        """Return the series of a query: its newest values, or all of the time range."""
        expression = expand_promql(query.text, variables, RATE_INTERVAL)
        path, parameters = "query", {"query": expression}
        if query.target["range"]:
            path = "query_range"
            times = {"start": self.range.start.timestamp(), "end": self.range.end.timestamp()}
            parameters |= {name: str(value) for name, value in times.items()} | {"step": "4s"}
        answer = httpx.post(f"{self.prometheus}/api/v1/{path}", data=parameters)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert not body.get("warnings")
        series: list[dict[str, Any]] = body["data"]["result"]
        return series

    def choose(self, board: str) -> Iterator[dict[str, Any]]:
        """Return what a reader may choose on a dashboard: all, or each component, one by one."""
        common = {"panel_url": self.panel, "phase": ["before", "after"]}
        names = {each["name"]: each for each in find_board(board)["templating"]["list"]}
        if "component" not in names:
            yield common
        elif names["component"]["multi"]:
            yield {**common, "component": self.components}
        else:
            for component in self.components:
                chosen = {**common, "component": component}
                for name in ("output", "variable", "column"):
                    if name in names:
                        chosen[name] = self.offer(names[name]["query"], chosen)
                assert chosen.get("output", "any"), f"{component} offers no output"
                yield chosen

    def offer(self, sql: str, chosen: Values) -> str:
        """Return the first value that a variable offers; nothing if it offers none."""
        rows = self.ask_postgres(sql, chosen)
        return str(next(iter(rows[0].values()))) if rows else ""


@contextmanager
def open_stack(root: Path) -> Iterator[Stack]:
    """Run all of it in a folder, until the context is left."""
    start = datetime.now(UTC) - timedelta(minutes=1)
    with Demo(root / "demo") as demo, Prometheus(root / "prometheus", demo.panel) as prometheus:
        demo.await_story()
        _run_profiled(demo, root)
        _send(demo, _make_old(), _make_stale())
        await_value(lambda: prometheus.query(_SCRAPED), "the scrapes of what came last")
        _send(demo, _make_stale())
        await_value(lambda: prometheus.query(_COUNTED), "the scrape of one run more")
        reader = _connect_as_reader(demo.home)
        times = Range(start, datetime.now(UTC) + timedelta(seconds=5))
        stack = Stack(demo.panel, prometheus.url, reader, times, [])
        rows = stack.ask_postgres(_RECENT_COMPONENTS, {})
        yield replace(stack, components=sorted(row["component"] for row in rows))
        reader.dispose()


def _run_profiled(demo: Demo, root: Path) -> None:
    """Run a component that gives frames and numbers, which those of the demo do not."""
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, _PROGRAM],
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": demo.otlp_http,
            "MLTRACE_ADDRESS": demo.panel,
            "MLTRACE_HOME": str(root / "profiled"),
        },
        timeout=60,
        check=True,
    )


def _make_old() -> Run:
    """A run of 41 days before, longer than any of the demo."""
    old = datetime.now(UTC) - timedelta(days=41)
    return make_run("archive", started_at=old, ended_at=old, io=[wrote("archive.csv", "d:1")])


def _make_stale() -> Run:
    """A run that read what was made then."""
    now = datetime.now(UTC)
    io = [read("archive.csv", "d:1"), wrote("report.pdf")]
    return make_run("report", started_at=now - timedelta(seconds=2), ended_at=now, io=io)


def _send(demo: Demo, *runs: Run) -> None:
    headers = {"content-type": "application/x-protobuf"}
    url = f"{demo.otlp_http}/v1/traces"
    httpx.post(url, content=write_protobuf(runs), headers=headers).raise_for_status()


def _connect_as_reader(home: Path) -> sa.Engine:
    """Make Grafana's role with the script that is provisioned, and connect as it."""
    url = sa.make_url(EmbeddedPostgres(home / "postgres").url)
    socket = str(url.query["host"])
    port = str(url.query["port"])
    psql = require("postgres").with_name("psql")
    for _ in range(2):
        subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [
                *(psql, "--quiet", f"--host={socket}", f"--port={port}", "--username=postgres"),
                *("--variable=password=it's $ecret", f"--file={_ROLE}"),
                "postgres",
            ],
            check=True,
            capture_output=True,
        )
    return sa.create_engine(url.set(username=_READER), pool_size=2)


def find_board(uid: str) -> Json:
    """Return the dashboard of a uid."""
    return next(board for board in read_boards() if board["uid"] == uid)
