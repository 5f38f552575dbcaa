"""The page about the HTTP API, from its OpenAPI document."""

import json
from collections.abc import Mapping
from typing import Any

from mltrace_exporter.main import create_app
from mltrace_exporter.store.database import open_engine

_OWN_ERRORS = {"403", "404"}  # all others stand at the beginning of the page

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
