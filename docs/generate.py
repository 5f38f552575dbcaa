"""Writes the reference pages that come from the code: wire format, commands, names, HTTP, views.

`make docs` runs it; a test fails while a page is not what this would write.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from writers.command_line import render_cli
from writers.dashboards import render_dashboard, render_dashboard_page
from writers.deployment import (
    render_burn_rate_rule,
    render_burn_rate_rules,
    render_compose_datasources,
    render_prometheus_rule,
    render_rules,
)
from writers.http_api import render_http_api
from writers.metrics import render_metrics
from writers.python_names import render_python
from writers.sql_views import render_sql_views
from writers.wire_format import render_wire_format

from mltrace_dashboards.files import render_dashboards

_HERE = Path(__file__).parent
_REFERENCE = _HERE / "reference"
_PROMETHEUS = _HERE.parent / "collector-config" / "prometheus"
_DEPLOY = _HERE.parent / "deploy"
_DASHBOARDS = _HERE.parent / "dashboards" / "json"

PAGES: dict[Path, Callable[[], str]] = {
    **{_DASHBOARDS / name: partial(render_dashboard, name) for name in render_dashboards()},
    _PROMETHEUS / "mltrace-rules.yaml": render_rules,
    _PROMETHEUS / "mltrace-burn-rate.yaml": render_burn_rate_rules,
    _REFERENCE / "dashboards.md": render_dashboard_page,
    _DEPLOY / "kubernetes" / "monitoring" / "prometheus-rule.yaml": render_prometheus_rule,
    _DEPLOY / "kubernetes" / "burn-rate" / "prometheus-rule.yaml": render_burn_rate_rule,
    _DEPLOY / "compose" / "datasources" / "mltrace.yaml": render_compose_datasources,
    _REFERENCE / "metrics.md": render_metrics,
    _REFERENCE / "sql-views.md": render_sql_views,
    _REFERENCE / "wire-format.md": render_wire_format,
    _REFERENCE / "cli.md": render_cli,
    _REFERENCE / "http-api.md": render_http_api,
    _REFERENCE / "python.md": render_python,
}


if __name__ == "__main__":
    for _path, _render in PAGES.items():
        _path.write_text(_render())
