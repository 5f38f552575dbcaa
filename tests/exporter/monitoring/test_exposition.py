"""What Prometheus reads: every outcome from 0, in a form its own tool has nothing against."""

import subprocess
from collections.abc import Mapping

import httpx
import pytest
import sqlalchemy as sa
from builders import at, make_run, make_test
from otlp import write_protobuf
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from services import require
from serving import serve

from mltrace_exporter.decode import Encoding
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.main import create_app
from mltrace_exporter.metrics import PROCESS_METRICS, REPLICA_LAG, STORE_METRICS
from mltrace_exporter.model import SpanId
from mltrace_exporter.queries.runs import get_run
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.tally import Tally

HOSTILE = (
    'quo"te\nline\\slash\ttab',
    "esc\x1b[31mred\x85",
    "long " + "y" * 10_000,
    "long " + "y" * 10_000 + "z",
    "\u202ebackwards",
    "{}[]$`' é 日本",
)
OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0"}


def scrape(engine: sa.Engine, headers: Mapping[str, str] | None = None) -> str:
    with serve(create_app(engine, Tally(engine))) as url:
        return httpx.get(f"{url}/metrics", headers=headers).raise_for_status().text


@pytest.fixture
def engine_with_runs(engine: sa.Engine) -> sa.Engine:
    """A database with two runs of a component, of which the newer one failed, and hostile names."""
    tests = (make_test("testA"), make_test("testB", "fail"))
    odd = [make_run(name, tests=(make_test(name, suite=name),)) for name in HOSTILE]
    runs = [make_run("etl", tests=tests), make_run("etl", start=5, execution="error"), *odd]
    with engine.begin() as connection:
        write_runs(connection, runs)
    return engine


def read_samples(text: str) -> dict[str, list[Sample]]:
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def find(samples: list[Sample], **labels: str) -> float:
    [value] = [each.value for each in samples if labels.items() <= each.labels.items()]
    return value


def test_runs_and_tests_are_counted_by_outcome_from_0(engine_with_runs: sa.Engine) -> None:
    samples = read_samples(scrape(engine_with_runs))

    runs, tests = samples["mltrace_component_runs"], samples["mltrace_tests"]
    assert find(runs, component="etl", outcome="succeeded") == 1
    assert find(runs, component="etl", outcome="failed") == 1
    assert find(tests, component="etl", test="testA", outcome="passed", phase="after") == 1
    for outcome in ("failed", "errored", "skipped"):
        assert find(tests, component="etl", test="testA", outcome=outcome) == 0
    assert find(tests, component="etl", test="testB", outcome="failed") == 1


def test_how_a_component_and_its_tests_are_now_is_shown(engine_with_runs: sa.Engine) -> None:
    samples = read_samples(scrape(engine_with_runs))

    last = samples["mltrace_component_last_outcome"]
    assert find(last, component="etl", outcome="failed") == 1
    assert find(last, component="etl", outcome="succeeded") == 0
    newest = samples["mltrace_component_last_run_timestamp_seconds"]
    success = samples["mltrace_component_last_success_timestamp_seconds"]
    assert find(newest, component="etl") == at(6).timestamp()
    assert find(success, component="etl") == at(1).timestamp()
    assert find(samples["mltrace_component_info"], component="etl", owner="plumber") == 1
    tests = samples["mltrace_test_last_outcome"]
    assert find(tests, component="etl", test="testB", outcome="failed") == 1
    assert find(tests, component="etl", test="testB", outcome="passed") == 0


def test_the_numbers_lead_to_runs(engine_with_runs: sa.Engine) -> None:
    text = scrape(engine_with_runs, OPENMETRICS)
    parsed = read_openmetrics(text)  # type: ignore[no-untyped-call] # it is
    families = {family.name: family.samples for family in parsed}

    exemplars = [
        (sample.labels["outcome"], sample.exemplar)
        for sample in families["mltrace_component_runs"]
        if sample.labels["component"] == "etl"
    ]
    shown = {outcome: each.labels for outcome, each in exemplars if each}
    assert shown.keys() == {"succeeded", "failed"}
    with engine_with_runs.connect() as connection:
        for outcome, ids in shown.items():
            run = get_run(connection, ids["span_id"]).summary
            assert (run.trace_id, run.component) == (ids["trace_id"], "etl")
            assert (run.execution == "error") is (outcome == "failed")
    [bucket] = [
        sample
        for sample in families["mltrace_component_run_duration_seconds"]
        if sample.exemplar and sample.labels["component"] == "etl"
    ]
    assert bucket.labels["le"] == "60.0"
    assert bucket.exemplar is not None
    assert bucket.exemplar.value == 60


def test_hostile_names_stay_short_apart_and_readable(engine_with_runs: sa.Engine) -> None:
    samples = read_samples(scrape(engine_with_runs))

    names = {sample.labels["component"] for sample in samples["mltrace_component_info"]}
    assert len(names) == 1 + len(HOSTILE)
    assert all(name.isprintable() and len(name) <= 200 for name in names)
    assert HOSTILE[-1] in names


def test_promtool_finds_nothing_against_it(engine_with_runs: sa.Engine) -> None:
    checked = subprocess.run(  # noqa: S603 - Prometheus's own tool
        [require("promtool"), "check", "metrics"],
        input=scrape(engine_with_runs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_all_that_is_shown_is_declared_and_all_that_is_declared_is_shown(
    engine_with_runs: sa.Engine,
) -> None:
    with serve(create_app(engine_with_runs, Tally(engine_with_runs))) as url:
        text = httpx.get(f"{url}/metrics").text

    shown = {
        family.name: family.type
        for family in text_string_to_metric_families(text)
        if family.name.startswith("mltrace_")
    }
    declared = {
        each.name.removesuffix("_total"): each.kind
        for each in (*STORE_METRICS, *PROCESS_METRICS)
        if each is not REPLICA_LAG
    }
    assert shown == declared


def test_nobody_has_to_log_in_and_both_formats_are_served(engine_with_runs: sa.Engine) -> None:
    with serve(create_app(engine_with_runs)) as url:
        text = httpx.get(f"{url}/metrics")
        openmetrics = httpx.get(f"{url}/metrics", headers=OPENMETRICS)

    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# EOF" not in text.text
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.count("# EOF") == 1
    assert openmetrics.text.endswith("# EOF\n")


def test_the_exporter_counts_what_came_in_and_what_became_of_it(engine: sa.Engine) -> None:
    tally = Tally(engine)
    ingest = Ingest(engine, tally)
    run, lost = make_run("etl"), make_run("etl", id=SpanId(bytes(16), bytes(8)))
    for body in (write_protobuf([run, lost]), write_protobuf([run])):
        ingest.accept(body, Encoding.PROTOBUF)
    ingest.tell_refusal("It is no protobuf.", is_temporary=False)
    ingest.tell_refusal("The database is away.", is_temporary=True)
    ingest.close()
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
    assert "mltrace_exporter_store_lag_seconds" in page
    assert "mltrace_exporter_last_dead_letter_timestamp_seconds 0.0" not in page
