"""The whole way: decorated program -> real collector -> exporter -> PostgreSQL -> command line."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from calling import Mltrace
from services import Collector, Exporter, await_value

AWAY_S = 10.0
ROUNDS_BEFORE, ROUNDS_AWAY, ROUNDS_AFTER = 20, 100, 20
OUTPUTS = {"ingest": "raw-{}.csv", "clean": "clean-{}.csv", "predict": "prediction-{}"}


class Pipeline:
    """The program `pipeline.py`; it runs one round of its components when it is told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.rounds = 0

    def run_round(self) -> None:
        """Run each component once and return when all three are done."""
        assert self._process.stdin
        assert self._process.stdout
        line = f"{self.rounds}\n"
        self._process.stdin.write(line)
        self._process.stdin.flush()
        assert self._process.stdout.readline() == line
        self.rounds += 1

    def end(self) -> tuple[int, str]:
        """Let the program end by itself; return its exit code and what it complained about."""
        _, complaints = self._process.communicate(timeout=30)
        return self._process.returncode, complaints


@contextmanager
def run_pipeline(directory: Path, endpoint: str) -> Iterator[Pipeline]:
    directory.mkdir()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, str(Path(__file__).with_name("pipeline.py"))],
        cwd=directory,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "PYTHONWARNINGS": "error"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Pipeline(process)
    finally:
        process.kill()
        process.communicate()


def read_outputs(mltrace: Mltrace, component: str) -> list[str]:
    """Return the outputs of all runs of a component, oldest first."""
    done = mltrace("history", component, "--limit=1000", "--json")
    runs: list[dict[str, Any]] = json.loads(done.stdout)["items"] if done.returncode == 0 else []
    return [name for run in reversed(runs) for name in run["outputs"]]


def await_moment(moment_s: float) -> None:
    await_value(lambda: time.monotonic() >= moment_s, "the next round")


def await_outputs(mltrace: Mltrace, component: str, outputs: list[str]) -> None:
    await_value(
        lambda: set(outputs) <= set(read_outputs(mltrace, component)),
        f"the arrival of all runs of {component}",
        deadline_s=60,
        every_s=0.5,
    )


@pytest.mark.collector
def test_every_run_arrives_once_although_the_exporter_is_away_for_ten_seconds(
    tmp_path: Path,
) -> None:
    with (
        Exporter(tmp_path / "exporter") as exporter,
        Collector(tmp_path / "collector", exporter.otlp_http) as collector,
        run_pipeline(tmp_path / "work", collector.otlp_http) as pipeline,
    ):
        for _ in range(ROUNDS_BEFORE):
            pipeline.run_round()
        assert exporter.stop() == 0
        left = time.monotonic()
        for number in range(1, ROUNDS_AWAY + 1):
            pipeline.run_round()
            await_moment(left + AWAY_S * number / ROUNDS_AWAY)
        exporter.start()
        for _ in range(ROUNDS_AFTER):
            pipeline.run_round()
        assert pipeline.end() == (0, "")

        mltrace = Mltrace(exporter.panel)
        sent = {
            name: [each.format(n) for n in range(pipeline.rounds)] for name, each in OUTPUTS.items()
        }
        for name, outputs in sent.items():
            await_outputs(mltrace, name, outputs)
        assert collector.stop() == 0  # what it still had to send is sent
        assert {name: read_outputs(mltrace, name) for name in sent} == sent
        assert_lineage(mltrace, f"prediction-{ROUNDS_BEFORE + ROUNDS_AWAY // 2}")
        assert_distributions(mltrace, pipeline.rounds)


def assert_distributions(mltrace: Mltrace, rounds: int) -> None:
    (metric,) = json.loads(mltrace.show("metrics", "predict", "--limit=1000", "--json"))
    assert [point["value"] for point in metric["points"]] == list(map(float, range(rounds)))[::-1]
    newest = str(metric["points"][0]["run_id"])
    (profile,) = json.loads(mltrace.show("profile", newest, "--json"))
    assert (profile["variable"], profile["profile"]["rows"]) == ("return", 2)
    assert profile["summaries"][0]["maximum"] == rounds - 1


def assert_lineage(mltrace: Mltrace, prediction: str) -> None:
    trace = json.loads(mltrace.show("trace", prediction, "--json"))
    nodes = sorted(trace["nodes"], key=lambda node: node["depth"])
    assert [(node["run"]["component"], node["depth"]) for node in nodes] == [
        ("predict", 0),
        ("clean", 1),
        ("ingest", 2),
    ]
