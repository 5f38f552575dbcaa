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


def test_lists_by_name_come_in_pages(api: httpx.Client, record: Record) -> None:
    record(*(make_run(name, words=Words(None, None, (f"t-{name}", "all"))) for name in "abcde"))

    def page(path: str, after: str | None) -> list[str]:
        query = {"limit": 2} | ({"after": after} if after else {})
        return [each["name"] for each in api.get(path, params=query).json()]

    assert page("/api/components", None) == ["a", "b"]
    assert page("/api/components", "b") == ["c", "d"]
    assert page("/api/tags/all", "d") == ["e"]
    assert page("/api/tags", "t-c") == ["t-d", "t-e"]


def test_people_describe_and_tag_components(api: httpx.Client, record: Record) -> None:
    record(make_run("team/a", words=Words("plumber", "Old words", ("code",))))

    described = api.put(
        "/api/components/team%2Fa", json={"owner": "jeanne", "tags": ["mine"]}
    ).json()
    tagged = api.post("/api/tags", json={"component": "team/a", "tags": ["more", "code"]}).json()
    replaced = api.put("/api/components/team%2Fa", json={"tags": ["other"]}).json()
    new = api.put("/api/components/new", json={}).json()

    assert (described["owner"], described["description"]) == ("jeanne", "Old words")
    assert described["tags"] == ["code", "mine"]
    assert tagged["tags"] == ["code", "mine", "more"]
    assert (replaced["tags"], replaced["owner"]) == (["code", "other"], "jeanne")
    assert (new["run_count"], new["last_run_at"], new["owner"]) == (0, None, None)


@pytest.mark.parametrize("later", [False, True])
def test_the_newest_words_win_whoever_said_them(
    api: httpx.Client, record: Record, *, later: bool
) -> None:
    api.put("/api/components/a", json={"owner": "jeanne"})
    record(make_run("a", 60 * 24 * 3650 if later else 0, words=Words("plumber", None, ())))

    assert api.get("/api/components/a").json()["owner"] == ("plumber" if later else "jeanne")


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("PUT", "/api/components/a", {"tags": [""]}, "empty"),
        ("PUT", "/api/components/a", {"tags": ["x" * 1001]}, "at most 1,000"),
        ("PUT", "/api/components/a", {"tags": ["x"] * 101}, "at most 100"),
        ("PUT", "/api/components/a", {"owner": "\0"}, "NUL"),
        ("PUT", "/api/components/a", {"description": "x" * 100_001}, "at most 100,000"),
        ("POST", "/api/tags", {"component": "a", "tags": []}, "at least one tag"),
        ("POST", "/api/tags", {"component": "", "tags": ["x"]}, "empty"),
    ],
)
def test_words_that_make_no_sense_are_refused(
    api: httpx.Client, method: str, path: str, body: dict[str, object], complaint: str
) -> None:
    answer = api.request(method, path, json=body)

    assert answer.status_code == 422
    assert complaint in answer.json()["detail"]
