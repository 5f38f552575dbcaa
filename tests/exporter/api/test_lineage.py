from collections.abc import Callable
from typing import Any

import httpx
import pytest
from builders import make_run, read, wrote


def test_a_trace_leads_from_the_output_to_what_it_was_made_of(
    api: httpx.Client, record: Callable[..., None]
) -> None:
    record(
        make_run("cleaning", start=0, io=[wrote("data/clean.csv")]),
        make_run("training", start=5, io=[read("data/clean.csv"), wrote("model & co")]),
    )

    trace = api.get("/api/trace", params={"output": "model & co"}).json()

    assert [(node["run"]["component"], node["depth"]) for node in trace["nodes"]] == [
        ("training", 0),
        ("cleaning", 1),
    ]
    assert trace["edges"][0]["pointer"] == "data/clean.csv"
    assert not trace["truncated"]


@pytest.fixture
def diamond(record: Callable[..., None]) -> None:
    """One cleaning, read by two runs of one component, whose outputs a third component reads."""
    record(
        make_run("cleaning", 0, io=[read("raw"), wrote("clean", "d:1"), wrote("log")]),
        make_run("features", 5, io=[read("clean", "d:2"), wrote("f1")]),
        make_run("features", 6, io=[read("clean"), wrote("f2")]),
        make_run("training", 9, io=[read("f1"), read("f2"), wrote("model")]),
        make_run("audit", 9, io=[read("log")]),
        make_run("report", 20, upstream=("training",)),
    )


def depths(answer: dict[str, Any]) -> dict[int, int]:
    return {node["run"]["id"]: node["depth"] for node in answer["nodes"]}


@pytest.mark.usefixtures("diamond")
@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("trace?output=model", {4: 0, 2: 1, 3: 1, 1: 2}),
        ("trace?output=model&depth=1", {4: 0, 2: 1, 3: 1}),
        ("trace?output=model&depth=0", {4: 0}),
        ("trace?output=model&limit=3", {4: 0, 2: 1, 3: 1}),
        ("trace?output=model&limit=1", {4: 0}),
        ("trace?run=3", {3: 0, 1: 1}),
        ("impact?output=clean", {1: 0, 2: 1, 3: 1, 4: 2, 6: 3}),
        ("impact?output=clean&depth=2", {1: 0, 2: 1, 3: 1, 4: 2}),
        ("impact?output=clean&depth=0", {1: 0}),
        ("impact?output=clean&limit=3", {1: 0, 2: 1, 3: 1}),
        ("impact?output=log", {1: 0, 5: 1}),
        ("impact?run=1", {1: 0, 2: 1, 3: 1, 5: 1, 4: 2, 6: 3}),
        ("impact?run=6", {6: 0}),
    ],
)
def test_a_lineage_is_followed_both_ways_and_as_far_as_asked(
    api: httpx.Client, question: str, found: dict[int, int]
) -> None:
    answer = api.get(f"/api/{question}").json()

    assert depths(answer) == found
    assert {edge["consumer_id"] for edge in answer["edges"]} <= found.keys()
    assert {edge["producer_id"] for edge in answer["edges"]} <= found.keys()


@pytest.mark.usefixtures("diamond")
def test_the_runs_of_a_component_are_taken_together(api: httpx.Client) -> None:
    trace = api.get("/api/trace/components?output=model").json()
    impact = api.get("/api/impact/components?run=1&depth=1").json()

    assert trace["nodes"] == [
        {"component": "training", "depth": 0, "run_count": 1},
        {"component": "features", "depth": 1, "run_count": 2},
        {"component": "cleaning", "depth": 2, "run_count": 1},
    ]
    assert [
        (edge["consumer"], edge["producer"], edge["edge_count"], edge["content_changed_outside"])
        for edge in trace["edges"]
    ] == [("features", "cleaning", 2, True), ("training", "features", 2, False)]
    assert [node["component"] for node in impact["nodes"]] == ["cleaning", "audit", "features"]


@pytest.mark.usefixtures("diamond")
def test_a_pointer_names_its_versions_and_readers(api: httpx.Client) -> None:
    api.post("/api/flags", json={"outputs": ["clean"], "reason": "holes", "severity": "low"})

    first = api.get("/api/pointers/clean", params={"limit": 1}).json()
    cursor = first["readers_cursor"]
    rest = api.get("/api/pointers/clean", params={"limit": 1, "readers_before": cursor}).json()

    assert [use["run_id"] for use in first["versions"]] == [1]
    assert first["versions_cursor"] is None
    assert [use["run_id"] for use in (*first["readers"], *rest["readers"])] == [3, 2]
    assert rest["readers_cursor"] is None
    assert first["flagged"]
    assert [(flag["reason"], flag["severity"]) for flag in first["flags"]] == [("holes", "low")]
    assert api.get("/api/pointers/nothing").status_code == 404


def test_a_name_that_is_written_every_day_does_not_bring_up_its_history(
    api: httpx.Client, record: Callable[..., None]
) -> None:
    record(
        *(make_run("etl", 10 * day, io=[wrote("table")]) for day in range(50)),
        *(make_run("use", 10 * day + 5, io=[read("table")]) for day in range(50)),
    )

    assert depths(api.get("/api/impact?run=7").json()) == {7: 0, 8: 1}
    assert depths(api.get("/api/impact?output=table").json()) == {99: 0, 100: 1}


@pytest.mark.parametrize("limit", [3, 2000])
def test_those_that_only_could_have_read_an_output_are_no_part_of_its_impact(
    api: httpx.Client, record: Callable[..., None], limit: int
) -> None:
    record(
        make_run("copy", 0, io=[wrote("kept", "d:2")]),
        make_run("load", 1, io=[wrote("raw")]),
        make_run("cleaning", 2, io=[read("raw"), wrote("clean", "d:9")]),
        # The name is that of the cleaning's output, the content is the copy's, and tells more.
        *(make_run("training", 5 + day, io=[read("clean", "d:2")]) for day in range(1020)),
    )

    impact = api.get("/api/impact", params={"output": "raw", "limit": limit}).json()

    assert depths(impact) == {2: 0, 3: 1}
    assert not impact["truncated"]


def test_who_found_the_old_content_of_a_name_was_made_from_who_wrote_that(
    api: httpx.Client, record: Callable[..., None]
) -> None:
    record(
        make_run("load", 0, io=[wrote("raw", "d:1")]),
        make_run("load", 2, io=[wrote("raw", "d:2")]),
        make_run("training", 5, io=[read("raw", "d:1")]),  # somebody put it back
    )

    assert depths(api.get("/api/impact?run=1").json()) == {1: 0, 3: 1}
    assert depths(api.get("/api/impact?run=2").json()) == {2: 0}
