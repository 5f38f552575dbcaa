"""Writes the reference pages that come from the code: wire format, commands, names, HTTP, views.

`make docs` runs it; a test fails while a page is not what this would write.
"""

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import yaml

import mltrace_otel
import mltrace_otel.stock
from mltrace_dashboards.catalogue import DASHBOARDS
from mltrace_dashboards.files import render_dashboards, write_json
from mltrace_dashboards.model import Dashboard
from mltrace_exporter.main import create_app
from mltrace_exporter.metrics import PROCESS_METRICS, STORE_METRICS, Metric
from mltrace_exporter.monitoring.rules import write_burn_rate_rules, write_rules
from mltrace_exporter.store.database import open_engine
from mltrace_exporter.store.views import READER, SCHEMA, VIEWS, View
from mltrace_otel.cli.main import mltrace
from mltrace_otel.contract.attributes import (
    ATTRIBUTES,
    METRIC_EVENT,
    PROFILE_EVENT,
    TEST_EVENT,
    Place,
)

_REFERENCE = Path(__file__).parent / "reference"
_PROMETHEUS = Path(__file__).parent.parent / "collector-config" / "prometheus"
_DEPLOY = Path(__file__).parent.parent / "deploy"
_DATASOURCES = (
    Path(__file__).parent.parent / "dashboards" / "provisioning" / "datasources" / "mltrace.yaml"
)
_DASHBOARDS = Path(__file__).parent.parent / "dashboards" / "json"
_WIDTH = 88
_OWN_ERRORS = {"403", "404"}  # all others stand at the beginning of the page

_WIRE_FORMAT = f"""\
# Wire format

<!-- Written by docs/generate.py from mltrace_otel/contract/attributes.py: change it there. -->

A component run is one OpenTelemetry span. Any SDK in any language may emit it, over OTLP. Names
that OpenTelemetry's semantic conventions define are used as they are; the others begin with
`mltrace.`.

- A span is a component run if it has `mltrace.component.name` and has no `mltrace.record`. Other
  spans are ignored, but for the helpers below.
- The span's start and end are the run's. Status ERROR means that the run failed; the standard
  `exception` event says how.
- Each **link** that has `mltrace.io.direction` names one or more inputs or outputs. The link's own
  context is the span of the run that produced them where the sender knows it; otherwise it is the
  context of the span that carries the link.
- Each **event** named `{TEST_EVENT}` is the outcome of one test, each named `{PROFILE_EVENT}` how a
  variable was [distributed](../explanation/profiles.md), each named `{METRIC_EVENT}` a number. A
  profile that cannot be read is left out; the run's attribute `mltrace.profile.faults` says why.
- A child span with `mltrace.record` = `start` announces a run that goes on, or tells that its
  process ended before it did (`mltrace.run.state`). It has the run's attributes and the links of
  the inputs known so far. Several may come; the run's own span replaces what they said.
- A child span with `mltrace.record` = `io` has links for which the run's own span has no room.
  Senders put them there when the span would pass 1 MB.
- Spans may arrive in any order.
- A span is known by its trace id and span id: sending it twice changes nothing.
- An attribute of another type than declared here is kept among the run's other attributes and
  otherwise has no effect.
"""

_SQL_VIEWS = f"""\
# SQL views

<!-- Written by docs/generate.py from mltrace_exporter/store/views.py: change it there. -->

Dashboards read from the schema `{SCHEMA}` of the exporter's PostgreSQL and from nothing else: the
tables behind it change between versions, the views do not lose columns. What each column means is
also a comment in the database: `\\d+ {SCHEMA}.recent_runs`.

The role `{READER}` may read the schema and nothing else. It cannot log in; give it to a user that
can:

```sql
CREATE ROLE grafana LOGIN PASSWORD '...' IN ROLE {READER};
ALTER ROLE grafana SET statement_timeout = '30s';
```

The exporter makes the role if its own user may create roles. If not, an administrator makes it once
with `CREATE ROLE {READER} NOLOGIN`; the exporter grants it the rest at its next start. The schema
is dropped and made anew when a new version needs it, together with whatever else was put there and
granted on it.

Each view answers quickly over millions of runs if it is asked for a time range or, newest first,
for a limited number of rows.
"""

_CLI = """\
# Command line

<!-- Written by docs/generate.py from the commands themselves: change them there. -->

`mltrace` asks the exporter over HTTP, and starts it. Where the exporter is, is told by `--address`,
else by [MLTRACE_ADDRESS](settings.md), else it is `http://127.0.0.1:8080`. With `--json` a command
prints what the HTTP API answered.

| exit code | meaning |
| --- | --- |
| 0 | the question was answered |
| 1 | what was asked for is not recorded |
| 2 | the command, its options or the settings are wrong |
| 3 | the server cannot be reached, or failed |
"""


_HTTP_API = """\
# HTTP API

<!-- Written by docs/generate.py from the OpenAPI document: change the routes. -->

The panel, the command line and the Python functions ask the exporter under `/api/`. A running
exporter has the whole contract, with the shape of every answer, at `/api/openapi.json`.

- Times are in ISO 8601, in UTC if they name no zone; durations are in seconds, sizes in bytes.
- Names in a path are percent-encoded: `/api/components/team%2Fcleaning`.
- No list is endless: `limit` says how many, and a cursor or the last name gives the page that
  follows.
- Every error is `application/problem+json` with `title`, `status` and, in `detail`, one sentence
  that says what to do. Besides those that a route names there are 400 and 422 (the request makes no
  sense), 405, 500 and 503 (the database does not answer now; the same request can pass later).

## Words of people and words of runs

`PUT /api/components/{name}` and every run of a component say something about it. The newest words
win, whoever said them: a run speaks when it begins. Tags are united: those of the newest run, and
those that people gave. Notes and flags are records; none is ever changed or lost.
"""


_DASHBOARD_PAGE = """\
# Dashboards

<!-- Written by docs/generate.py from dashboards/mltrace_dashboards: change it there. -->

What each Grafana dashboard answers. [Bring them into Grafana](../how-to/grafana.md) says how to get
them. All are in one folder, with a menu that leads from each to the others at the same time range.
"""

_PYTHON = """\
# Python

<!-- Written by docs/generate.py from the docstrings: change them there. -->

All public names, to be imported from `mltrace_otel`.
[Instrument a script](../how-to/instrument-a-script.md) shows them at work.
"""

_STOCK = """\
# Stock tests

To be imported from `mltrace_otel.stock`. [Use stock tests](../how-to/stock-tests.md) shows them at
work.
"""

_METRICS = """\
# Metrics

<!-- Written by docs/generate.py from mltrace_exporter/metrics.py: change it there. -->

The exporter serves them at `/metrics`, in the text format and, for those that ask for it, as
OpenMetrics with exemplars: the trace id and span id of a run behind a number. Batch jobs expose
nothing. Any number of exporters on one database show the same; add their values up and each run
counts twice, so take the `max` of them, as [the rules](../how-to/alerting.md) do.

- The database is read every 15 seconds (`--metrics-interval`), whoever asks; how long ago is told
  by `mltrace_exporter_last_poll_timestamp_seconds`. If it cannot be read, what it said before is
  shown. What is usual, and what is stale, is found out every twentieth time.
- Totals are kept when runs are stored: deleting old runs does not make them fall. Every outcome of
  a component or a test that is known is shown from 0.
- There are at most 10,000 series of what the database says (`--metrics-series`). Components, tests
  and outputs that do not fit are shown together with `component="__other__"`, those last that
  somebody should look at; `mltrace_exporter_folded_series` tells how many series that saves. A
  component takes about 30.
- Names are cut at 200 characters and control characters spelt out; a name changed so ends in `~`
  and a mark of its own.
"""

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


def render_wire_format() -> str:
    """Return the page about the wire format."""
    return "\n".join([_WIRE_FORMAT, *(_render_place(place) for place in Place)])


def render_cli() -> str:
    """Return the page about the command line."""
    return "\n".join([_CLI, *(_render_command(command) for command in _find_commands())])


def render_python() -> str:
    """Return the page about the public names."""
    names = [_render_name(mltrace_otel, name) for name in mltrace_otel.__all__]
    stock = [_render_name(mltrace_otel.stock, name) for name in mltrace_otel.stock.__all__]
    return "\n".join([_PYTHON, *names, _STOCK, *stock])


def render_sql_views() -> str:
    """Return the page about the views that dashboards read."""
    return "\n".join([_SQL_VIEWS, *(_render_view(view) for view in VIEWS)])


def render_http_api() -> str:
    """Return the page about the HTTP API."""
    document = create_app(open_engine("postgresql+psycopg2://nowhere")).openapi()
    choices = {
        name: schema["enum"]
        for name, schema in document["components"]["schemas"].items()
        if "enum" in schema
    }
    routes = [
        _render_route(method.upper(), path, operation, choices)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return "\n".join([_HTTP_API, *routes])


def render_metrics() -> str:
    """Return the page about the metrics."""
    return "\n".join(
        [
            _METRICS,
            "## What the database says\n",
            "The same on every exporter of one database.\n",
            *map(_render_metric, STORE_METRICS),
            "## What one exporter says of itself\n",
            *map(_render_metric, PROCESS_METRICS),
        ]
    )


def render_rules() -> str:
    """Return the rules for Prometheus."""
    return _RULES + _dump(write_rules())


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


def render_burn_rate_rules() -> str:
    """Return the rules that not everybody wants."""
    return _BURN_RATE_RULES + _dump(write_burn_rate_rules())


def render_dashboard_page() -> str:
    """Return the page about the dashboards."""
    return "\n".join([_DASHBOARD_PAGE, *map(_render_board, DASHBOARDS)])


def render_dashboard(name: str) -> str:
    """Return a dashboard as Grafana reads it."""
    return write_json(render_dashboards()[name])


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


def _render_board(board: Dashboard) -> str:
    *shown, about = board.list_panels()
    rows = [
        f"| {panel.title} | {panel.kind} | {panel.description.replace('|', chr(92) + '|')} |"
        for panel in shown
    ]
    chosen = [str(each["label"]) for each in board.variables if each["type"] in {"query", "custom"}]
    choices = f"Choose: {', '.join(chosen)}.\n\n" if chosen else ""
    return f"## {board.title}\n\n{about.options['content']}\n\n{choices}" + "\n".join(
        ["| panel | kind | what it shows |", "| --- | --- | --- |", *rows, ""]
    )


def _render_metric(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    bounds = ", ".join(f"{bound:g}" for bound in metric.buckets)
    buckets = f" Buckets up to {bounds}." if bounds else ""
    return f"### {metric.name}\n\n{metric.kind}, labels: {labels}. {metric.meaning}{buckets}\n"


def _wrap_rules(name: str, rules: Mapping[str, object]) -> Mapping[str, object]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "mltrace"}},
        "spec": rules,
    }


def _dump(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=96, allow_unicode=True)


def _render_view(view: View) -> str:
    arguments = ", ".join(f"{name} {type_}" for name, type_ in view.parameters.items())
    title = f"{view.name}({arguments})" if arguments else view.name
    rows = [f"| `{column}` | {meaning} |" for column, meaning in view.columns.items()]
    lines = [
        f"## {title}",
        "",
        view.meaning,
        "",
        "| column | meaning |",
        "| --- | --- |",
        *rows,
        "",
    ]
    return "\n".join(lines)


def _render_place(place: Place) -> str:
    rows = [
        f"| `{each.key}` | {each.type}{', required' if each.required else ''} | {each.meaning} |"
        for each in ATTRIBUTES
        if each.place is place
    ]
    title = str(place)[0].upper() + str(place)[1:]
    return "\n".join(
        [f"## {title}", "", "| attribute | type | meaning |", "| --- | --- | --- |", *rows, ""]
    )


def _render_route(
    method: str, path: str, operation: Mapping[str, Any], choices: Mapping[str, list[str]]
) -> str:
    parts = [f"## {method} {path}", operation["description"]]
    rows = [_render_parameter(each, choices) for each in operation.get("parameters", ())]
    if rows:
        parts.append("\n".join(["| parameter | in | meaning |", "| --- | --- | --- |", *rows]))
    body = operation.get("requestBody")
    if body:
        [example] = body["content"]["application/json"]["schema"]["examples"]
        parts.append(f"Body, for example:\n\n{_render_json(example)}")
    answers = operation["responses"]
    example = answers["200"]["content"]["application/json"]["example"]
    parts.append(f"Answer, for example:\n\n{_render_json(example)}")
    errors = [f"{status} ({answers[status]['description']})" for status in _OWN_ERRORS & {*answers}]
    if errors:
        parts.append(f"Errors: {', '.join(sorted(errors))}.")
    return "\n\n".join(parts) + "\n"


def _render_parameter(parameter: Mapping[str, Any], choices: Mapping[str, list[str]]) -> str:
    required = ", required" if parameter["required"] else ""
    schema = parameter["schema"]
    meaning = parameter["description"].replace("|", "\\|")
    for each in (schema, *schema.get("anyOf", ())):
        values = choices.get(each.get("$ref", "").rpartition("/")[2], ())
        meaning += f" One of {', '.join(f'`{value}`' for value in values)}." if values else ""
    if "default" in schema:
        meaning += f" Default: `{json.dumps(schema['default']).strip(chr(34))}`."
    return f"| `{parameter['name']}` | {parameter['in']}{required} | {meaning} |"


def _render_json(example: object) -> str:
    text = json.dumps(example, indent=2, ensure_ascii=False)
    return f"```json\n{text}\n```"


def _find_commands() -> Iterator[click.Context]:
    program = click.Context(
        mltrace, info_name="mltrace", terminal_width=_WIDTH, **mltrace.context_settings
    )
    yield from _find_commands_of(mltrace, program)


def _find_commands_of(group: click.Group, context: click.Context) -> Iterator[click.Context]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command:
            inner = click.Context(command, context, info_name=name, terminal_width=_WIDTH)
            yield inner
            if isinstance(command, click.Group):
                yield from _find_commands_of(command, inner)


def _render_command(context: click.Context, level: int = 2) -> str:
    text = f"```text\n{context.command.get_help(context)}\n```\n"
    parts = [f"{'#' * level} {context.command_path}\n\n{text}"]
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            inner = click.Context(command, context, info_name=name, terminal_width=_WIDTH)
            parts.append(_render_command(inner, level + 1))
    return "\n".join(parts)


def _render_name(module: ModuleType, name: str) -> str:
    public = getattr(module, name)
    methods = vars(public).items() if inspect.isclass(public) else ()
    texts = [_describe(name, public)]
    texts += [
        _describe(f"{name}.{method}", function)
        for method, function in methods
        if inspect.isfunction(function) and not method.startswith("_")
    ]
    blocks = "\n\n".join(texts)
    return f"## {name}\n\n```text\n{blocks}\n```\n"


def _describe(name: str, described: Callable[..., object]) -> str:
    head = name if _is_told_by_name(described) else f"{name}{_shorten_signature(described)}"
    head = textwrap.fill(head, _WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False)
    lines = (inspect.getdoc(described) or "").splitlines()
    return "\n".join([head, *(f"    {line}".rstrip() for line in lines)])


def _is_told_by_name(described: Callable[..., object]) -> bool:
    return inspect.isclass(described) and issubclass(described, str | Exception)


def _shorten_signature(described: Callable[..., object]) -> str:
    """Return the parameters with their defaults; their types stand in the docstring's words."""
    signature = inspect.signature(described)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    text = str(inspect.Signature(parameters)).replace("<factory>", "[]")
    return re.sub(r"<(\w+\.\w+): [^>]*>", r"\1", text)  # members of enumerations


if __name__ == "__main__":
    for _path, _render in PAGES.items():
        _path.write_text(_render())
