"""The whole way of an alert, from a decorated program to whoever owns the component, and back.

Program -> collector -> exporter -> Prometheus -> Alertmanager -> webhook, all real.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from alerting import Alertmanager, Inbox, Prometheus, open_inbox
from builders import make_run, make_test
from otlp import write_protobuf
from services import Collector, Exporter, await_value

from mltrace_exporter.model import Run, Words

PROGRAM = Path(__file__).with_name("checked_pipeline.py")
DRIFTING = Path(__file__).with_name("drifting_pipeline.py")
OWNER, EVERYONE = "arrivals-team", "everyone"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Stack:
    """The programs, as they are wired in production, and who receives alerts."""

    exporter: Exporter
    collector: Collector
    prometheus: Prometheus
    alertmanager: Alertmanager
    inbox: Inbox

    def send(self, *runs: Run) -> None:
        """Send runs to the collector."""
        url = f"{self.collector.otlp_http}/v1/traces"
        headers = {"content-type": "application/x-protobuf"}
        httpx.post(url, content=write_protobuf(runs), headers=headers).raise_for_status()

    def run_pipeline(self, directory: Path, *numbers: float, program: Path = PROGRAM) -> None:
        """Run the decorated program in a process of its own."""
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, program, *map(str, numbers)],
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.otlp_http,
                "MLTRACE_HOME": str(directory),
            },
            timeout=60,
            check=True,
        )

    def await_alert(self, receiver: str, status: str, **labels: str) -> dict[str, Any]:
        """Return the first such alert that is received."""
        found = await_value(
            lambda: self.inbox.find(receiver, status, **labels),
            f"an alert {labels} that is {status}, for {receiver}",
        )
        return found[0]

    def list_own(self) -> list[dict[str, Any]]:
        """Return what the exporter itself says fires."""
        alerts: list[dict[str, Any]] = httpx.get(f"{self.exporter.panel}/api/alerts").json()
        return alerts


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("stack")
    with (
        open_inbox() as inbox,
        Exporter(root / "exporter", "--metrics-interval=0.2") as exporter,
        Collector(root / "collector", exporter.otlp_http) as collector,
        Alertmanager(root / "alertmanager", inbox) as alertmanager,
        Prometheus(root / "prometheus", exporter.panel, alertmanager) as prometheus,
    ):
        yield Stack(exporter, collector, prometheus, alertmanager, inbox)


def make_history(component: str, newest: datetime, **fields: Any) -> list[Run]:
    """Return runs an hour apart, of which the last one began at a time."""
    starts = [newest - hours * HOUR for hours in range(6)]
    return [
        make_run(component, started_at=start, ended_at=start + timedelta(minutes=1), **fields)
        for start in starts
    ]


@pytest.mark.collector
def test_the_first_failure_ever_of_a_test_reaches_the_owner_and_so_does_its_end(
    stack: Stack, tmp_path: Path
) -> None:
    stack.run_pipeline(tmp_path, 5, -99_999)

    labels = {"alertname": "MltraceTestFailed", "component": "predict"}
    alert = stack.await_alert(OWNER, "firing", **labels)
    assert alert["labels"] == {
        **labels,
        "suite": "DelayTest",
        "test": "testRange",
        "phase": "after",
        "outcome": "failed",
        "owner": OWNER,
        "severity": "warning",
        "product": "mltrace",
    }
    assert alert["annotations"]["summary"] == "Test testRange of predict failed"
    assert "predict" in httpx.get(alert["annotations"]["panel_url"]).raise_for_status().text
    runbook = httpx.get(alert["annotations"]["runbook_url"]).raise_for_status().text
    assert runbook.startswith("# MltraceTestFailed\n")

    stack.run_pipeline(tmp_path, 5, 7)
    assert stack.await_alert(OWNER, "resolved", **labels)["labels"] == alert["labels"]
    assert stack.inbox.find(EVERYONE, "firing", **labels) == []


@pytest.mark.collector
def test_an_output_that_drifted_alerts_until_one_is_as_before(stack: Stack, tmp_path: Path) -> None:
    stack.run_pipeline(tmp_path, 1, 1, 1, 1, 60, program=DRIFTING)

    labels = {"alertname": "MltraceOutputDrift", "component": "feed", "method": "psi"}
    alert = stack.await_alert(OWNER, "firing", **labels)
    assert (alert["labels"]["output"], alert["labels"]["owner"]) == ("delays", OWNER)
    assert alert["annotations"]["summary"] == "delays of feed drifted: psi of delays"
    runbook = httpx.get(alert["annotations"]["runbook_url"]).raise_for_status().text
    assert runbook.startswith("# MltraceOutputDrift\n")
    assert "feed" in httpx.get(alert["annotations"]["panel_url"]).raise_for_status().text

    stack.run_pipeline(tmp_path, 1, program=DRIFTING)
    stack.await_alert(OWNER, "resolved", **labels)


@pytest.mark.collector
def test_a_component_gone_silent_alerts_until_it_runs_again(stack: Stack) -> None:
    now = datetime.now(UTC)
    words = Words(OWNER, None, ())
    steady = make_history("steady", now - timedelta(minutes=20), words=words)
    stack.send(*make_history("hourly", now - 3 * HOUR, words=words), *steady)

    labels = {"alertname": "MltraceComponentSilent", "component": "hourly"}
    alert = stack.await_alert(OWNER, "firing", **labels)
    assert alert["annotations"]["summary"].startswith("hourly has not run for 2h 59m")
    assert (
        stack.inbox.find(OWNER, "firing", alertname=labels["alertname"], component="steady") == []
    )

    stack.send(make_run("hourly", started_at=now, ended_at=now, words=words))
    stack.await_alert(OWNER, "resolved", **labels)


@pytest.mark.collector
def test_the_exporter_and_prometheus_agree_on_what_fires(stack: Stack) -> None:
    old = datetime.now(UTC) - 3 * HOUR
    silent = [run._replace(words=None) for run in make_history("silent", old)]
    stack.send(
        *silent,
        make_run("broken", started_at=old, ended_at=old, execution="error"),
        make_run(
            'odd "name"\n\\',
            started_at=old,
            ended_at=old,
            tests=(make_test("a", "fail"), make_test("b", "error"), make_test("c", "skip")),
        ),
        make_run("lost", id=type(silent[0].id)(bytes(16), bytes(8))),
    )

    def compare() -> list[tuple[str, ...]]:
        ours = {
            (each["name"], each["severity"], each["owner"] or "", *sorted(each["labels"].values()))
            for each in stack.list_own()
        }
        theirs = set()
        for labels in stack.prometheus.list_firing():
            special = {"alertname", "severity", "product", "owner"}
            rest = sorted(value for name, value in labels.items() if name not in special)
            owner = labels.get("owner", "")
            theirs.add((labels["alertname"], labels["severity"], owner, *rest))
        return sorted(ours) if ours == theirs and len(ours) >= 5 else []

    agreed = await_value(compare, "agreement of the exporter with Prometheus")
    assert [name for name, *_ in agreed] == [
        "MltraceComponentSilent",
        "MltraceRunFailed",
        "MltraceSpansRefused",
        "MltraceTestFailed",
        "MltraceTestFailed",
    ]


@pytest.mark.collector
def test_prometheus_keeps_the_runs_behind_the_numbers(stack: Stack) -> None:
    now = time.time()
    asked = {
        "query": "mltrace_component_run_duration_seconds_bucket",
        "start": str(now - 7_200),
        "end": str(now + 60),
    }

    def find() -> list[dict[str, Any]]:
        answer = httpx.get(f"{stack.prometheus.url}/api/v1/query_exemplars", params=asked)
        series: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
        return [each for item in series for each in item["exemplars"]]

    stack.send(make_run("fresh", started_at=datetime.now(UTC), ended_at=datetime.now(UTC)))
    exemplars = await_value(find, "exemplars")
    assert all(len(each["labels"]["trace_id"]) == 32 for each in exemplars)


@pytest.mark.collector
def test_without_the_exporter_one_alert_fires_and_the_others_keep_still(stack: Stack) -> None:
    stack.send(make_run("broken2", execution="error", started_at=datetime.now(UTC)))
    labels = {"alertname": "MltraceRunFailed", "component": "broken2"}
    stack.await_alert(EVERYONE, "firing", **labels)

    stack.exporter.stop()
    stack.await_alert(EVERYONE, "firing", alertname="MltraceExporterDown")

    [alert] = [
        each
        for each in stack.alertmanager.list_alerts()
        if labels.items() <= each["labels"].items()
    ]
    assert alert["status"]["state"] == "suppressed"
    assert stack.inbox.find(EVERYONE, "resolved", **labels) == []
    stack.exporter.start()
    stack.await_alert(EVERYONE, "resolved", alertname="MltraceExporterDown")
