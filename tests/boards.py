"""What the dashboards that are committed ask and show, picked apart for tests."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from services import REPOSITORY

FOLDER = REPOSITORY / "dashboards" / "json"
FILES = sorted(FOLDER.glob("*.json"))
PROMETHEUS, POSTGRES = "prometheus", "grafana-postgresql-datasource"

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """A query of a panel, of a variable or of an annotation.

    Attributes:
        board: uid of its dashboard.
        owner: title of its panel, or name of what else asks it.
        panel: its panel; None if something else asks it.
        target: the query as JSON.
    """

    board: str
    owner: str
    panel: Json | None
    target: Json

    @property
    def text(self) -> str:
        """PromQL, or SQL."""
        text: str = self.target["expr"] if "expr" in self.target else self.target["rawSql"]
        return text

    @property
    def name(self) -> str:
        """What it is called in the output of tests."""
        return f"{self.board}, {self.owner}, {self.target['refId']}"


@cache
def read_boards() -> tuple[Json, ...]:
    """Return all dashboards as they are committed."""
    return tuple(json.loads(path.read_text()) for path in FILES)


def list_panels(board: Json) -> Iterator[Json]:
    """Return the panels of a dashboard, those in collapsed rows, too; no rows."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def list_queries(kind: str) -> list[Query]:
    """Return the queries of panels for one type of data source."""
    return [
        Query(board["uid"], panel["title"], panel, target)
        for board in read_boards()
        for panel in list_panels(board)
        for target in panel.get("targets", ())
        if target["datasource"]["type"] == kind
    ]


def list_annotations() -> list[Query]:
    """Return the queries of annotations."""
    return [
        Query(board["uid"], each["name"], None, each["target"])
        for board in read_boards()
        for each in board["annotations"]["list"]
    ]


def list_links(value: object) -> Iterator[str]:
    """Return every address that links in a piece of JSON lead to."""
    if isinstance(value, dict):
        url = value.get("url")
        if isinstance(url, str) and url:
            yield url
        for each in value.values():
            yield from list_links(each)
    elif isinstance(value, list):
        for each in value:
            yield from list_links(each)


def list_overrides(panel: Json) -> Iterator[tuple[str, Json]]:
    """Return the names of fields that a panel shows in a way of their own, with how."""
    for each in panel["fieldConfig"]["overrides"]:
        if each["matcher"]["id"] == "byName":
            yield (
                each["matcher"]["options"],
                {property_["id"]: property_["value"] for property_ in each["properties"]},
            )


def find_variables(text: str) -> set[tuple[str, str]]:
    """Return the variables of ours in a text, each with its format."""
    return {
        (name, how)
        for name, how in re.findall(r"\$\{(\w+)(?::(\w+))?\}", text)
        if not name.startswith("__")
    } | {(name, "") for name in re.findall(r"\$([a-z]\w*)", text)}
