from collections.abc import Callable
from typing import Any

import httpx
import pytest
from builders import make_run, read, wrote

from mltrace_exporter.model import Words

LONG = "s3://bucket/" + "x" * 3000 + "/end.csv"


@pytest.fixture
def recorded(record: Callable[..., None]) -> None:
    record(
        make_run("cleaning", 0, io=[read("s3://Warehouse/raw/Flights-2013.csv"), wrote(LONG)]),
        make_run(
            "training",
            1,
            io=[wrote("models/delay_100%.joblib"), wrote("flights.png")],
            words=Words(None, "Fits a delay model", ()),
            notes="The feed had holes",
        ),
    )


@pytest.fixture
def search(api: httpx.Client) -> Callable[..., dict[str, Any]]:
    def ask(q: str, **query: Any) -> dict[str, Any]:
        answer = api.get("/api/search", params={"q": q, **query})
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    return ask


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("flights", ["flights.png", "s3://Warehouse/raw/Flights-2013.csv"]),
        ("S3://ware", ["s3://Warehouse/raw/Flights-2013.csv"]),
        ("delay_100%", ["models/delay_100%.joblib"]),
        ("100%.job", ["models/delay_100%.joblib"]),
        ("%", ["models/delay_100%.joblib"]),
        ("end.csv", [LONG]),
        (LONG, [LONG]),
        ("nothing here", []),
    ],
)
def test_names_are_found_by_how_they_begin_and_recent_ones_by_any_part(
    search: Callable[..., dict[str, Any]], words: str, names: list[str]
) -> None:
    if len(words) > 1000:
        words = words[:1000]

    assert search(words)["pointers"] == names


@pytest.mark.usefixtures("recorded")
def test_the_very_name_comes_first(search: Callable[..., dict[str, Any]]) -> None:
    assert search("flights.png")["pointers"] == ["flights.png"]


@pytest.mark.usefixtures("recorded")
def test_components_are_found_by_all_words(search: Callable[..., dict[str, Any]]) -> None:
    def names(words: str) -> list[str]:
        return [each["name"] for each in search(words)["components"]]

    assert names("DELAY train") == ["training"]
    assert names("ing") == ["cleaning", "training"]
    assert names("training 100") == []


@pytest.mark.usefixtures("recorded")
def test_notes_are_found_by_words_that_begin_so(
    api: httpx.Client, search: Callable[..., dict[str, Any]]
) -> None:
    api.post("/api/runs/1/notes", json={"text": "Holes in the FEED: 12 %", "author": "jeanne"})

    def notes(words: str) -> list[tuple[int, str | None]]:
        return [(each["run_id"], each["author"]) for each in search(words)["notes"]]

    assert notes("feed hol") == [(1, "jeanne"), (2, None)]
    assert notes("feed: & | ! (") == [(1, "jeanne"), (2, None)]
    assert notes("12") == [(1, "jeanne")]
    assert notes("!!!") == []


@pytest.mark.usefixtures("recorded")
def test_what_is_left_out_is_told(search: Callable[..., dict[str, Any]]) -> None:
    assert search("flights", limit=1)["truncated"]
    assert not search("flights", limit=2)["truncated"]


@pytest.mark.parametrize(("query", "status"), [("", 422), ("?q=", 400), ("?q=%20%20", 400)])
def test_something_must_be_searched(api: httpx.Client, query: str, status: int) -> None:
    assert api.get(f"/api/search{query}").status_code == status
