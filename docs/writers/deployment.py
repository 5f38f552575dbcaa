"""What Prometheus and Grafana are given: rules of alerts, and data sources."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from mltrace_exporter.monitoring.rules import write_burn_rate_rules, write_rules

_DATASOURCES = (
    Path(__file__).parents[2] / "dashboards" / "provisioning" / "datasources" / "mltrace.yaml"
)

_RULES = """\
# Alerts of mltrace, and what is recorded for them. docs/how-to/alerting.md says how to use them.
# Written by docs/generate.py from mltrace_exporter/monitoring/definitions.py: change it there.
"""

_COMPOSE_DATASOURCES = """\
# The data sources of dashboards/provisioning/, with the password from the file where
# docker-compose.yaml puts it. Written by docs/generate.py: change it there.
"""

_BURN_RATE_RULES = """\
# For components that run more than 100 times a day: alerts when more than 1% of their runs fail,
# the sooner the faster that is. Not everybody wants them: add the file to rule_files beside
# mltrace-rules.yaml, which it needs. Written by docs/generate.py from
# mltrace_exporter/monitoring/rules.py: change it there.
"""


def render_rules() -> str:
    """Return the rules for Prometheus."""
    return _RULES + _dump(write_rules())


def render_burn_rate_rules() -> str:
    """Return the rules that not everybody wants."""
    return _BURN_RATE_RULES + _dump(write_burn_rate_rules())


def render_prometheus_rule() -> str:
    """Return the same rules for the Prometheus Operator."""
    return _RULES + _dump(_wrap_rules("mltrace", write_rules()))


def render_burn_rate_rule() -> str:
    """Return those that not everybody wants for the Prometheus Operator."""
    return _BURN_RATE_RULES + _dump(_wrap_rules("mltrace-burn-rate", write_burn_rate_rules()))


def render_compose_datasources() -> str:
    """Return the data sources that Grafana is given by docker-compose.yaml."""
    text = _DATASOURCES.read_text()
    return _COMPOSE_DATASOURCES + text[text.index("apiVersion") :].replace(
        "$MLTRACE_PG_RO_PASSWORD", "$__file{/run/secrets/reader-password}"
    )


def _wrap_rules(name: str, rules: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "mltrace"}},
        "spec": rules,
    }


def _dump(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=96, allow_unicode=True)
