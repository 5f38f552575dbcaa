"""The rule files of Prometheus, as the values that their YAML says.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/; what is recorded
is named ``level:metric:operation``.
"""

from collections.abc import Iterable
from typing import Any

from mltrace_exporter import metrics
from mltrace_exporter.monitoring.conditions import MEMORY
from mltrace_exporter.monitoring.definitions import (
    BURN,
    COMPONENT_PAGE,
    DEFINITIONS,
    OWNERS_RULE,
    Definition,
)
from mltrace_exporter.monitoring.wording import write_template
from mltrace_otel.contract.api import AlertSeverity

PRODUCT = "mltrace"

Rule = dict[str, Any]

_MINUTE_S = 60
_OBJECTIVE = 0.99
_BUSY_RUNS_A_DAY = 100
# How many times faster than allowed failures come, over which windows, for how long, how bad:
# https://sre.google/workbook/alerting-on-slos/, "Multiwindow, Multi-Burn-Rate Alerts".
_BURN_RATES = (
    (14.4, "1h", "5m", "2m", AlertSeverity.CRITICAL),
    (6, "6h", "30m", "15m", AlertSeverity.CRITICAL),
    (3, "1d", "2h", "1h", AlertSeverity.WARNING),
    (1, "3d", "6h", "3h", AlertSeverity.WARNING),
)
_BURN_SUMMARY = "Too many runs of {component} fail"
_BURN_DESCRIPTION = (
    "{value:share} of the runs of {component} failed over the longer of the two windows; 1% is "
    "allowed over 30 days."
)


def write_rules(definitions: Iterable[Definition] = DEFINITIONS) -> dict[str, Any]:
    """Return the rules that everybody needs: what is recorded for them, and the alerts."""
    recorded = [
        _record(OWNERS_RULE, _find_owners()),
        _record(
            "component_outcome:mltrace_component_runs:rate5m",
            f"max by (component, outcome) (rate({metrics.RUNS.name}[5m]))",
        ),
        _record(
            "component_outcome:mltrace_component_runs:increase1d",
            f"max by (component, outcome) (increase({metrics.RUNS.name}[1d]))",
        ),
        _record("component:mltrace_component_run_duration_seconds:p95_1d", _find_slow()),
        _record(
            "component_outcome:mltrace_tests:increase1d",
            f"sum by (component, outcome) (max by ({', '.join(metrics.TESTS.labels)}) "
            f"(increase({metrics.TESTS.name}[1d])))",
        ),
    ]
    # One group: its rules are evaluated in their order, at one moment.
    return {"groups": [{"name": "mltrace", "rules": [*recorded, *map(_alert, definitions)]}]}


def write_burn_rate_rules() -> dict[str, Any]:
    """Return the rules for components that run so often that a share of failures means something.

    A single failure alerts in `write_rules`; these alert when failures use up a budget.
    """
    windows = dict.fromkeys(window for _, *pair, _, _ in _BURN_RATES for window in sorted(pair))
    recorded = [_record(_name_ratio(window), _find_ratio(window)) for window in windows]
    alerts = [_burn(*each) for each in _BURN_RATES]
    return {"groups": [{"name": "mltrace.burn-rate", "rules": [*recorded, *alerts]}]}


def _record(name: str, expression: str) -> Rule:
    return {"record": name, "expr": expression}


def _alert(definition: Definition) -> Rule:
    rule: Rule = {"alert": definition.name, "expr": definition.write_expression()}
    if definition.wait_s:
        rule["for"] = f"{definition.wait_s // _MINUTE_S}m"
    return rule | _tell(
        definition.name,
        definition.severity,
        definition.summary,
        definition.description,
        definition.panel_path,
    )


def _tell(
    name: str, severity: AlertSeverity, summary: str, description: str, panel_path: str
) -> Rule:
    return {
        "labels": {"severity": severity.value, "product": PRODUCT},
        "annotations": {
            "summary": write_template(summary),
            "description": write_template(description),
            "runbook_url": f"{_find_address('runbooks')}/{name}",
            "panel_url": f"{_find_address('url')}{write_template(panel_path)}",
        },
    }


def _find_address(label: str) -> str:
    """Return the template that asks the exporter's metrics where people find it."""
    query = f'query "last_over_time({metrics.PANEL.name}[1d])"'
    return f'{{{{ with {query} }}}}{{{{ . | first | label "{label}" }}}}{{{{ end }}}}'


def _find_owners() -> str:
    """Return an expression with one series for each component: of two owners, either."""
    info = metrics.COMPONENT_INFO.name
    now, lately = (f"topk by (component) (1, {each})" for each in (info, _remember(info)))
    return f"{now} or on (component) {lately}"


def _remember(name: str) -> str:
    return f"last_over_time({name}[{MEMORY}])"


def _find_slow() -> str:
    buckets = f"max by (component, le) (increase({metrics.RUN_DURATION.name}_bucket[1d]))"
    return f"histogram_quantile(0.95, {buckets})"


def _name_ratio(window: str) -> str:
    return f"component:mltrace_component_failures:ratio_rate{window}"


def _find_ratio(window: str) -> str:
    failed, every = (
        f"max by (component, outcome) (increase({series}[{window}]))"
        for series in (f'{metrics.RUNS.name}{{outcome="failed"}}', metrics.RUNS.name)
    )
    return f"sum by (component) ({failed}) / (sum by (component) ({every}) > 0)"


def _burn(factor: float, long: str, short: str, wait: str, severity: AlertSeverity) -> Rule:
    limit = factor * (1 - _OBJECTIVE)
    busy = f"max by (component, outcome) (increase({metrics.RUNS.name}[1d]))"
    expression = (
        f"({_name_ratio(long)} > {limit:.3g} and {_name_ratio(short)} > {limit:.3g}"
        f" and sum by (component) ({busy}) > {_BUSY_RUNS_A_DAY})"
        f" * on (component) group_left (owner) {OWNERS_RULE}"
    )
    told = _tell(BURN, severity, _BURN_SUMMARY, _BURN_DESCRIPTION, COMPONENT_PAGE)
    told["labels"]["window"] = long
    return {"alert": BURN, "expr": expression, "for": wait, **told}
