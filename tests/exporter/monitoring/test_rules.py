"""The rules as Prometheus evaluates them: each alert fires when it should, and else does not."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from services import REPOSITORY, require

from mltrace_exporter.monitoring import rules
from mltrace_exporter.monitoring.definitions import DEFINITIONS, Definition
from mltrace_exporter.monitoring.wording import fill_in, read_blanks

PROMETHEUS = REPOSITORY / "collector-config" / "prometheus"
ALERTMANAGER = REPOSITORY / "collector-config" / "alertmanager" / "alertmanager.yaml"
PANEL = "https://mltrace.example"
PANEL_INFO = f'mltrace_exporter_panel_info{{url="{PANEL}",runbooks="{PANEL}/runbooks"}}'
OWNER = 'mltrace_component_info{component="etl",owner="anna"}'
TEST = 'component="etl",suite="Range",test="low",phase="after"'


@dataclass(frozen=True)
class Case:
    """What makes an alert fire, and what comes near but does not.

    Attributes:
        alert: its name.
        firing: series with their values, one a minute.
        quiet: others, with which it does not fire.
        labels: what the alert carries, but for severity and product.
        value: what it says it has compared.
        at: when to look, after the start; what is before it is no age.
    """

    alert: str
    firing: Mapping[str, str]
    quiet: Mapping[str, str]
    labels: Mapping[str, str]
    value: float = 1
    at: str = "20m"


SCORE, LIMIT = "mltrace_output_drift_score", "mltrace_output_drift_threshold"
OUTPUT = 'component="etl",output="flights",column="delay"'
DRIFTED = {"component": "etl", "output": "flights", "column": "delay", "owner": "anna"}
LAST_TEST, LAST_RUN = "mltrace_test_last_outcome", "mltrace_component_last_outcome"
CASES = [
    Case(
        "MltraceTestFailed",
        {
            # Two exporters on one database, one alert; the very first outcome that is seen fires.
            f'{LAST_TEST}{{{TEST},outcome="failed",instance="a"}}': "1x30",
            f'{LAST_TEST}{{{TEST},outcome="failed",instance="b"}}': "1x30",
        },
        {
            f'{LAST_TEST}{{{TEST},outcome="failed"}}': "1x5 0x30",
            f'{LAST_TEST}{{{TEST},outcome="skipped"}}': "1x30",
        },
        {
            "component": "etl",
            "suite": "Range",
            "test": "low",
            "phase": "after",
            "outcome": "failed",
            "owner": "anna",
        },
    ),
    Case(
        "MltraceRunFailed",
        {f'{LAST_RUN}{{component="etl",outcome="aborted"}}': "0x18 1x30"},
        {
            f'{LAST_RUN}{{component="etl",outcome="failed"}}': "1x5 0x30",
            f'{LAST_RUN}{{component="etl",outcome="succeeded"}}': "1x30",
        },
        {"component": "etl", "outcome": "aborted", "owner": "anna"},
    ),
    Case(
        "MltraceComponentStale",
        {'mltrace_component_stale_inputs{component="etl"}': "2x30"},
        {'mltrace_component_stale_inputs{component="etl"}': "2x5 0x30"},
        {"component": "etl", "owner": "anna"},
        value=2,
    ),
    Case(
        "MltraceComponentSilent",
        {
            'mltrace_component_last_run_timestamp_seconds{component="etl"}': "0x130",
            'mltrace_component_expected_interval_seconds{component="etl"}': "3600x130",
        },
        {
            'mltrace_component_last_run_timestamp_seconds{component="etl"}': "0x130",
            'mltrace_component_expected_interval_seconds{component="etl"}': "5400x130",
        },
        {"component": "etl", "owner": "anna"},
        value=7_200,
        at="2h",
    ),
    Case(
        "MltraceOutputDrift",
        {
            # Above what runs differ by as a rule, and seen by two exporters.
            f'{SCORE}{{{OUTPUT},method="psi",instance="a"}}': "0.1x18 0.9x30",
            f'{SCORE}{{{OUTPUT},method="psi",instance="b"}}': "0.1x18 0.9x30",
            f'{LIMIT}{{{OUTPUT},method="psi",instance="a"}}': "0.4x60",
            f'{SCORE}{{{OUTPUT},method="nulls"}}': "0x60",
            f'{LIMIT}{{{OUTPUT},method="nulls"}}': "0.05x60",
        },
        {
            f'{SCORE}{{{OUTPUT},method="psi"}}': "0.9x5 0.4x30",
            f'{LIMIT}{{{OUTPUT},method="psi"}}': "0.4x60",
            f'{LIMIT}{{{OUTPUT},method="range"}}': "0.02x60",
        },
        {**DRIFTED, "method": "psi"},
        value=0.9,
    ),
    Case(
        "MltraceOutputNulls",
        {
            f'{SCORE}{{{OUTPUT},method="nulls"}}': "0.25x30",
            f'{LIMIT}{{{OUTPUT},method="nulls"}}': "0.05x30",
        },
        {
            f'{SCORE}{{{OUTPUT},method="nulls"}}': "0.25x5 0.05x30",
            f'{LIMIT}{{{OUTPUT},method="nulls"}}': "0.05x60",
            f'{SCORE}{{{OUTPUT},method="psi"}}': "0.9x30",
            f'{LIMIT}{{{OUTPUT},method="psi"}}': "0.2x60",
        },
        {**DRIFTED, "method": "nulls"},
        value=0.25,
    ),
    Case(
        "MltraceFlagsWaiting",
        {'mltrace_component_oldest_flag_timestamp_seconds{component="etl"}': "0x130"},
        {'mltrace_component_oldest_flag_timestamp_seconds{component="etl"}': "5000x130"},
        {"component": "etl", "owner": "anna"},
        value=7_200,
        at="2h",
    ),
    Case(
        "MltraceExporterDown",
        {'up{job="mltrace",instance="a"}': "0x30", 'up{job="mltrace",instance="b"}': "0x30"},
        {'up{job="mltrace",instance="a"}': "0x30", 'up{job="mltrace",instance="b"}': "1x30"},
        {"job": "mltrace"},
        value=0,
    ),
    Case(
        "MltraceExporterAbsent",
        {'up{job="other"}': "1x30"},
        {'up{job="mltrace"}': "0x30"},
        {"job": "mltrace"},
    ),
    Case(
        "MltraceExporterStalled",
        {"mltrace_exporter_last_poll_timestamp_seconds": "0x30"},
        {
            'mltrace_exporter_last_poll_timestamp_seconds{instance="a"}': "0x30",
            'mltrace_exporter_last_poll_timestamp_seconds{instance="b"}': "0+60x30",
        },
        {},
        value=1_200,
    ),
    Case(
        "MltraceSeriesFolded",
        {"mltrace_exporter_folded_series": "0x10 350x30"},
        {"mltrace_exporter_folded_series": "350x5 0x30"},
        {},
        value=350,
    ),
    Case(
        "MltraceSpansRefused",
        {"mltrace_exporter_last_dead_letter_timestamp_seconds": "0x10 600x30"},
        {"mltrace_exporter_last_dead_letter_timestamp_seconds": "0x200"},
        {},
        value=600,
    ),
]
QUIET_AT = {"MltraceSpansRefused": "2h"}
BY_NAME = {each.name: each for each in DEFINITIONS}


def expect(case: Case) -> dict[str, Any]:
    """Return the alert as it must be, with the words that the exporter would use itself."""
    definition = BY_NAME[case.alert]
    path = fill_in(definition.panel_path, case.labels, case.value)
    return {
        "exp_labels": {**case.labels, "severity": definition.severity.value, "product": "mltrace"},
        "exp_annotations": {
            "summary": fill_in(definition.summary, case.labels, case.value),
            "description": fill_in(definition.description, case.labels, case.value),
            "runbook_url": f"{PANEL}/runbooks/{case.alert}",
            "panel_url": f"{PANEL}{path}",
        },
    }


def write_tests() -> Iterator[dict[str, Any]]:
    """Return two tests for each case, for promtool."""
    for case in CASES:
        for series, at, expected in (
            (case.firing, case.at, [expect(case)]),
            (case.quiet, QUIET_AT.get(case.alert, case.at), []),
        ):
            always = {PANEL_INFO: "1x200", OWNER: "1x200"}
            yield {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": values}
                    for name, values in {**always, **series}.items()
                ],
                "alert_rule_test": [
                    {"eval_time": at, "alertname": case.alert, "exp_alerts": expected}
                ],
            }


def run(*command: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - Prometheus's own tools
        [require(str(command[0])), *command[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == [each.name for each in DEFINITIONS]


def test_each_alert_fires_when_it_should_and_else_does_not(tmp_path: Path) -> None:
    tests = {
        "rule_files": [str(PROMETHEUS / "mltrace-rules.yaml")],
        "evaluation_interval": "1m",
        "tests": list(write_tests()),
    }
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump(tests))

    run("promtool", "test", "rules", path)


def test_failures_that_use_up_the_budget_alert(tmp_path: Path) -> None:
    """One run a minute of two components; of the one each fourth fails, of the other none."""
    runs = "mltrace_component_runs_total"
    series = {
        f'{runs}{{component="etl",outcome="failed"}}': "0+1x4500",
        f'{runs}{{component="etl",outcome="succeeded"}}': "0+3x4500",
        f'{runs}{{component="good",outcome="failed"}}': "0x4500",
        f'{runs}{{component="good",outcome="succeeded"}}': "0+4x4500",
        f'{runs}{{component="rare",outcome="failed"}}': "0x1400 1x4500",
        f'{runs}{{component="rare",outcome="succeeded"}}': "0x4500",
        OWNER: "1x4500",
        'mltrace_component_info{component="good",owner=""}': "1x4500",
        'mltrace_component_info{component="rare",owner=""}': "1x4500",
    }
    windows = {"1h": "critical", "6h": "critical", "1d": "warning", "3d": "warning"}
    expected = [
        {
            "labels": f'ALERTS{{alertname="MltraceFailuresBurn",alertstate="firing",'
            f'component="etl",owner="anna",product="mltrace",severity="{severity}",'
            f'window="{window}"}}',
            "value": 1,
        }
        for window, severity in windows.items()
    ]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": each} for name, each in series.items()],
        "promql_expr_test": [
            {
                "expr": 'ALERTS{alertname="MltraceFailuresBurn",alertstate="firing"}',
                "eval_time": "1d",
                "exp_samples": expected,
            },
        ],
    }
    files = [str(PROMETHEUS / f"mltrace-{name}.yaml") for name in ("rules", "burn-rate")]
    path = tmp_path / "tests.yaml"
    path.write_text(
        yaml.safe_dump({"rule_files": files, "evaluation_interval": "5m", "tests": [test]})
    )

    run("promtool", "test", "rules", path)


@pytest.mark.parametrize("name", ["mltrace-rules", "mltrace-burn-rate"])
def test_promtool_finds_nothing_against_the_rules(name: str) -> None:
    path = PROMETHEUS / f"{name}.yaml"

    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", path)


def test_prometheus_and_alertmanager_take_their_configurations() -> None:
    run("promtool", "check", "config", PROMETHEUS / "prometheus.yaml")
    run("amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"owner": "arrivals-team", "severity": "warning"}, "arrivals-team"),
        ({"owner": "arrivals-team", "severity": "info"}, "arrivals-team"),
        ({"owner": "bert", "severity": "critical"}, "everyone"),
        ({"severity": "info"}, "everyone"),
    ],
)
def test_alerts_go_to_the_owner_of_the_component(labels: dict[str, str], receiver: str) -> None:
    given = [f"{name}={value}" for name, value in {"product": "mltrace", **labels}.items()]
    route = ("config", "routes", "test", f"--config.file={ALERTMANAGER}")

    assert run("amtool", *route, f"--verify.receivers={receiver}", *given).split() == [receiver]


def test_every_alert_about_a_component_carries_its_owner() -> None:
    [group] = rules.write_rules()["groups"]
    alerts = {rule["alert"]: rule["expr"] for rule in group["rules"] if "alert" in rule}

    for definition in DEFINITIONS:
        about_component = "component" in definition.labels
        assert ("group_left (owner)" in alerts[definition.name]) == about_component


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.name)
def test_an_alert_names_only_labels_that_it_has(definition: Definition) -> None:
    texts = (definition.summary, definition.description, definition.panel_path)

    assert set().union(*map(read_blanks, texts)) <= set(definition.labels)
