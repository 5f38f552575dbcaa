"""What Prometheus reads: every outcome from 0, in a form its own tool has nothing against."""

import shutil
import subprocess

import httpx
import pytest
import sqlalchemy as sa
from builders import make_run, make_test
from otlp import write_protobuf
from prometheus_client.parser import text_string_to_metric_families
from serving import serve

from mltrace_exporter.decode import Encoding
from mltrace_exporter.errors import MalformedRequest, Unavailable
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.main import create_app
from mltrace_exporter.model import SpanId
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.tally import Tally

HOSTILE = 'quo"te\nline\\slash'


@pytest.fixture
def exposition(engine: sa.Engine) -> str:
    """The page after three runs of which one failed, with two tests of which one failed."""
    tests = (make_test("testA"), make_test("testB", "fail"))
    runs = [make_run("etl", tests=tests), make_run("etl", execution="error"), make_run(HOSTILE)]
    with engine.begin() as connection:
        write_runs(connection, runs)
    with serve(create_app(engine, Tally(engine))) as url:
        return httpx.get(f"{url}/metrics").raise_for_status().text


def test_runs_and_tests_are_counted_by_outcome_from_0(exposition: str) -> None:
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name.startswith("mltrace_")
    }
    runs, tests = "mltrace_component_runs_total", "mltrace_tests_total"
    assert samples[runs, "etl", "succeeded"] == 1
    assert samples[runs, "etl", "failed"] == 1
    assert samples[runs, "failed", HOSTILE] == 0
    assert samples[tests, "RangeTest", "after", "etl", "passed", "testA"] == 1
    assert samples[tests, "RangeTest", "after", "etl", "failed", "testA"] == 0
    assert samples[tests, "RangeTest", "after", "etl", "failed", "testB"] == 1


def test_promtool_finds_nothing_against_it(exposition: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: install Debian's package prometheus")
    checked = subprocess.run(  # noqa: S603 - Prometheus's own tool
        [promtool, "check", "metrics"],
        input=exposition,
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in checked.stderr.splitlines() if line.startswith("mltrace_")]
    assert (checked.returncode, ours) == (0, [])


def test_the_exporter_counts_what_came_in_and_what_became_of_it(engine: sa.Engine) -> None:
    tally = Tally(engine)
    ingest = Ingest(engine, tally)
    run, lost = make_run("etl"), make_run("etl", id=SpanId(bytes(16), bytes(8)))
    for body in (write_protobuf([run, lost]), write_protobuf([run])):
        ingest.accept(body, Encoding.PROTOBUF)
    with pytest.raises(MalformedRequest):
        ingest.accept(b"\xff", Encoding.PROTOBUF)
    ingest.close()
    with pytest.raises(Unavailable):
        ingest.accept(write_protobuf([run]), Encoding.PROTOBUF)
    with serve(create_app(engine, tally)) as url:
        page = httpx.get(f"{url}/metrics").raise_for_status().text
    for line in (
        'mltrace_exporter_spans_total{result="stored"} 1.0',
        'mltrace_exporter_spans_total{result="duplicate"} 1.0',
        'mltrace_exporter_spans_total{result="dead_lettered"} 1.0',
        'mltrace_exporter_requests_total{answer="accepted"} 2.0',
        'mltrace_exporter_requests_total{answer="malformed"} 1.0',
        'mltrace_exporter_requests_total{answer="refused"} 1.0',
        "mltrace_exporter_commit_seconds_count 2.0",
        "mltrace_exporter_pending_bytes 0.0",
    ):
        assert line in page.splitlines()
