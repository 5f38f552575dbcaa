from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from builders import make_run

from mltrace_exporter.model import Words

Record = Callable[..., None]


def test_components_are_listed_by_name_with_their_runs(api: httpx.Client, record: Record) -> None:
    record(make_run("b"), make_run("a", start=1), make_run("a", start=5))

    found = api.get("/api/components").json()

    assert [(each["name"], each["run_count"]) for each in found] == [("a", 2), ("b", 1)]
    assert found[0]["last_run_at"] == "2026-01-01T00:05:00Z"


@pytest.mark.parametrize("name", ["cleaning", "team/cleaning", "50 % ü?#", "a//b/"])
def test_a_component_is_found_whatever_its_name(
    api: httpx.Client, record: Record, name: str
) -> None:
    record(make_run(name, words=Words("jeanne", None, (name,))))

    assert api.get(f"/api/components/{quote(name, safe='')}").json()["owner"] == "jeanne"
    assert api.get(f"/api/tags/{quote(name, safe='')}").json()[0]["name"] == name


def test_tags_are_counted(api: httpx.Client, record: Record) -> None:
    record(make_run("a", words=Words(None, None, ("x", "y"))), make_run("b"))

    assert api.get("/api/tags").json() == [
        {"name": "etl", "component_count": 1},
        {"name": "x", "component_count": 1},
        {"name": "y", "component_count": 1},
    ]
