"""Parts of a dashboard, and the classic JSON (schema version 42) that Grafana reads of them.

Only what our dashboards use is here. Provisioned files and ``/api/dashboards/db`` take the classic
form only, in Grafana 13, too.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Json = Mapping[str, object]

SCHEMA_VERSION = 42
WIDTH = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel.

    Attributes:
        source: variable that chooses the data source.
        kind: the data source's type.
        query: what only this type of data source has.
        ref: the query's name; a node graph wants ``nodes`` and ``edges``.
    """

    source: str
    kind: str
    query: Json
    ref: str = ""

    def render(self, position: int) -> dict[str, object]:
        """Return the query as JSON; ``position`` names it if nothing else does."""
        ref = self.ref or chr(ord("A") + position)
        return {"refId": ref, "datasource": self.render_source(), **self.query}

    def render_source(self) -> dict[str, object]:
        """Return the reference to its data source."""
        return {"type": self.kind, "uid": f"${{{self.source}}}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        kind: Grafana's name of the panel's type.
        title: what it shows.
        description: what question it answers, and what to do about the answer.
        targets: its queries; a text has none.
        options: options of its type.
        defaults: how all fields are shown.
        overrides: how single fields are shown.
        transformations: what is done to the answers before they are shown.
    """

    kind: str
    title: str
    description: str
    targets: Sequence[Target] = ()
    options: Json = field(default_factory=dict)
    defaults: Json = field(default_factory=dict)
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()

    def render(self, number: int, place: Json) -> dict[str, object]:
        """Return the panel as JSON, with its number and its place in the grid."""
        told: dict[str, object] = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "gridPos": place,
            "options": self.options,
            "fieldConfig": {"defaults": self.defaults, "overrides": list(self.overrides)},
        }
        if self.targets:
            told["datasource"] = self.targets[0].render_source()
            told["targets"] = [each.render(at) for at, each in enumerate(self.targets)]
        if self.transformations:
            told["transformations"] = list(self.transformations)
        return told


@dataclass(frozen=True, slots=True)
class Strip:
    """Panels side by side, each with its width; all have one height."""

    height: int
    panels: Sequence[tuple[int, Panel]]


@dataclass(frozen=True, slots=True)
class Row:
    """A titled group of strips. What is collapsed is asked for only when it is opened."""

    title: str
    strips: Sequence[Strip]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. Its uid and the titles of its panels stay: links are made of them."""

    uid: str
    title: str
    description: str
    rows: Sequence[Row]
    variables: Sequence[Json] = ()
    annotations: Sequence[Json] = ()
    start: str = "now-24h"

    def render(self) -> dict[str, object]:
        """Return the dashboard as the JSON of a file that Grafana provisions."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["mltrace"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "1m",
            "time": {"from": self.start, "to": "now"},
            "timezone": "browser",
            "links": [_DROPDOWN],
            "templating": {"list": list(self.variables)},
            "annotations": {"list": list(self.annotations)},
            "panels": list(_place(self.rows)),
        }

    def list_panels(self) -> list[Panel]:
        """Return its panels, in their order."""
        strips = [strip for row in self.rows for strip in row.strips]
        return [panel for strip in strips for _, panel in strip.panels]


_DROPDOWN: Json = {
    "type": "dashboards",
    "title": "mltrace",
    "tags": ["mltrace"],
    "asDropdown": True,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "The other dashboards of mltrace",
    "url": "",
}


def _place(rows: Sequence[Row]) -> Iterator[dict[str, object]]:
    """Number and place the panels; the first row has no title, what it holds is the headline."""
    top = 0
    for position, row in enumerate(rows):
        head, top = top, top + bool(position)
        inner: list[dict[str, object]] = []
        for strip in row.strips:
            inner += _place_strip(strip, top)
            top += strip.height
        if position:
            yield _render_row(row, head, inner)
        if row.collapsed:
            top = head + 1
        else:
            yield from inner


def _place_strip(strip: Strip, top: int) -> Iterator[dict[str, object]]:
    left = 0
    for width, panel in strip.panels:
        place = {"h": strip.height, "w": width, "x": left, "y": top}
        yield panel.render(_number(panel.title), place)
        left += width
    if left > WIDTH:
        raise ValueError(f"The strip of {strip.panels[0][1].title!r} is {left} wide.")


def _render_row(row: Row, top: int, inner: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": _number(f"row {row.title}"),
        "type": "row",
        "title": row.title,
        "collapsed": row.collapsed,
        "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
        "panels": inner if row.collapsed else [],
    }


def _number(title: str) -> int:
    """Return an id that stays the same wherever a panel moves: links to a panel name it."""
    return zlib.crc32(title.encode()) % 1_000_000
