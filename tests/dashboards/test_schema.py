"""The dashboards are what Grafana's own types say they are, in two versions of Grafana.

Each panel's options are checked against those of its type, by the TypeScript compiler: it knows
every key and every word that is allowed.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import Json, list_panels, read_boards
from provide import SCHEMAS, find_schema
from services import require

_RAW = "@grafana/schema/dist/esm/raw"
_KINDS = {
    "stat": "Stat",
    "timeseries": "TimeSeries",
    "table": "Table",
    "state-timeline": "StateTimeline",
    "heatmap": "Heatmap",
    "bargauge": "BarGauge",
    "nodeGraph": "NodeGraph",
    "text": "Text",
}
# Panels without settings of their own for fields.
_FIELDLESS = {"bargauge", "nodeGraph", "stat", "text"}
_HEAD = f"""\
import type * as board from '{_RAW}/dashboard/x/Dashboard_types.gen';
type Loose<T> = T extends string ? `${{T}}`
  : T extends number | boolean | null | undefined ? T
  : T extends Array<infer U> ? Loose<U>[]
  : T extends object ? {{ [K in keyof T]?: Loose<T[K]> }} : T;
type Board = Loose<Omit<board.Dashboard, 'annotations' | 'panels'>>;
type Annotation = Loose<Omit<board.AnnotationQuery, 'target'>>;
type Panel = Loose<Omit<board.Panel, 'options' | 'fieldConfig'>>;
type Row = Loose<Omit<board.RowPanel, 'panels'>>;
type Field = Loose<Omit<board.FieldConfig, 'custom'>>;
type Matcher = Loose<board.MatcherConfig>;
"""
# "Connect null values" of the state timeline is an option in its editor that its types leave out.
_OMITTED = {"state-timeline": "{ spanNulls?: boolean }"}
_TSC = (
    *("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"),
    *("--module", "nodenext", "--moduleResolution", "nodenext"),
)


def write_program(boards: tuple[Json, ...]) -> str:
    """Return a program in TypeScript that says of each part of the dashboards what it must be."""
    kinds = {panel["type"] for board in boards for panel in list_panels(board)}
    imports = [
        f"import type * as {_KINDS[kind]} from "
        f"'{_RAW}/composable/{_KINDS[kind].lower()}/panelcfg/x/{_KINDS[kind]}PanelCfg_types.gen';"
        for kind in sorted(kinds)
    ]
    said = [line for board in boards for line in _say_board(board)]
    checks = [
        f"const part{number}: {type_} = {json.dumps(value)};"
        for number, (type_, value) in enumerate(said)
    ]
    return "\n".join([_HEAD, *imports, *checks, "export {};", ""])


def _say_board(board: Json) -> Iterator[tuple[str, object]]:
    yield "Board", _drop(board, "annotations", "panels")
    for annotation in board["annotations"]["list"]:
        # What a data source is asked is its own affair: the type knows that of one only.
        yield "Annotation", _drop(annotation, "target")
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield "Row", _drop(panel, "panels")
    for panel in list_panels(board):
        yield from _say_panel(panel)


def _say_panel(panel: Json) -> Iterator[tuple[str, object]]:
    yield "Panel", _drop(panel, "options", "fieldConfig")
    kind = panel["type"]
    yield f"Loose<{_KINDS[kind]}.Options>", panel["options"]
    field = "{}" if kind in _FIELDLESS else f"Loose<{_KINDS[kind]}.FieldConfig>"
    field += f" & {_OMITTED[kind]}" if kind in _OMITTED else ""
    defaults = dict(panel["fieldConfig"]["defaults"])
    yield field, defaults.pop("custom", {})
    yield "Field", defaults
    for override in panel["fieldConfig"]["overrides"]:
        yield "Matcher", override["matcher"]
        for each in override["properties"]:
            owner, _, key = each["id"].rpartition(".")
            yield f"({field if owner == 'custom' else 'Field'})['{key}']", each["value"]


def _drop(part: Json, *keys: str) -> Json:
    return {key: value for key, value in part.items() if key not in keys}


def compile_program(program: str, modules: Path, directory: Path) -> str:
    """Return what the compiler has against a program; nothing if all is well."""
    (directory / "node_modules").symlink_to(modules)
    (directory / "package.json").write_text('{"type": "module"}')
    (directory / "dashboards.ts").write_text(program)
    done = subprocess.run(  # noqa: S603 - the compiler that the lock file names
        [require("node"), modules / "typescript" / "bin" / "tsc", *_TSC, "dashboards.ts"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture(params=SCHEMAS, ids=lambda path: f"grafana-{path.name}")
def modules(request: pytest.FixtureRequest) -> Path:
    found = find_schema(request.param)
    if found is None:
        pytest.skip("Grafana's types are missing here: `make services` gets them")
    return found


def test_dashboards_are_what_grafana_says_they_are(modules: Path, tmp_path: Path) -> None:
    assert compile_program(write_program(read_boards()), modules, tmp_path) == ""


BROKEN = [
    ("stat", ("options", "colorMode"), "nonsense"),
    ("table", ("options", "footer"), {"show": True}),
    ("timeseries", ("fieldConfig", "defaults", "custom", "drawStyle"), "lines"),
    ("bargauge", ("fieldConfig", "defaults", "units"), {"short": True}),
    ("nodeGraph", ("options", "zoom"), {"mode": "greedy"}),
    ("heatmap", ("options", "color", "mode"), "rainbow"),
    ("text", ("gridPos", "width"), {"w": 3}),
]


def test_what_grafana_does_not_know_is_found(modules: Path, tmp_path: Path) -> None:
    boards: list[Json] = json.loads(json.dumps(read_boards()))
    for kind, path, value in BROKEN:
        part = next(each for board in boards for each in list_panels(board) if each["type"] == kind)
        *way, last = path
        for key in way:
            part = part[key]
        part[last] = value

    complaint = compile_program(write_program(tuple(boards)), modules, tmp_path)

    assert complaint.count("error TS") == len(BROKEN)
    for _, path, value in BROKEN:
        assert f'"{value if isinstance(value, str) else path[-1]}"' in complaint
