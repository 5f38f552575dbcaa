from collections.abc import Callable
from typing import Any

import httpx
import pytest
from builders import make_run, read, wrote

Record = Callable[..., None]


@pytest.fixture
def outputs(record: Record) -> list[str]:
    record(
        make_run("training", start=0, io=[wrote("model")]),
        make_run(
            "inference", start=5, io=[read("model"), wrote("p/1"), wrote("p/2"), wrote("p/3")]
        ),
    )
    return ["p/1", "p/2"]


def test_an_output_is_flagged_once_and_unflagged_once(
    api: httpx.Client, outputs: list[str]
) -> None:
    flagging = {"outputs": outputs, "reason": "all negative", "by": "jeanne"}

    first = api.post("/api/flags", json=flagging).json()
    again = api.post("/api/flags", json=flagging).json()
    listed = api.get("/api/flags").json()
    resolved = api.post("/api/flags/resolve", json={"outputs": ["p/1"], "by": "groot"}).json()

    assert {flag["output"] for flag in first["changed"]} == set(outputs)
    assert (again["changed"], set(again["unchanged"])) == ([], set(outputs))
    assert {(flag["reason"], flag["flagged_by"]) for flag in listed} == {("all negative", "jeanne")}
    assert [(flag["output"], flag["resolved_by"]) for flag in resolved["changed"]] == [
        ("p/1", "groot")
    ]
    assert [flag["output"] for flag in api.get("/api/flags").json()] == ["p/2"]


def test_flags_are_records_that_stay(api: httpx.Client, outputs: list[str]) -> None:
    api.post("/api/flags", json={"outputs": outputs, "severity": "high"})
    api.post("/api/flags/resolve", json={"outputs": ["p/1"], "resolution": "ran again"})
    api.post("/api/flags", json={"outputs": ["p/1"]})

    def ask(**query: object) -> list[tuple[str, str | None, str | None]]:
        flags = api.get("/api/flags", params=query).json()  # type: ignore[arg-type] # plain values
        return [(flag["output"], flag["severity"], flag["resolution"]) for flag in flags]

    assert ask() == [("p/1", None, None), ("p/2", "high", None)]
    assert ask(state="resolved") == [("p/1", "high", "ran again")]
    assert ask(state="all", output="p/1") == [("p/1", None, None), ("p/1", "high", "ran again")]
    last = api.get("/api/flags", params={"state": "all", "limit": 1}).json()[-1]["id"]
    assert len(ask(state="all", before=last)) == 2


def test_all_flags_are_resolved_at_once(api: httpx.Client, outputs: list[str]) -> None:
    api.post("/api/flags", json={"outputs": outputs})

    resolved = api.post("/api/flags/resolve", json={"all": True}).json()

    assert len(resolved["changed"]) == 2
    assert api.get("/api/flags").json() == []


def test_if_one_output_is_unknown_none_is_flagged(api: httpx.Client, outputs: list[str]) -> None:
    answer = api.post("/api/flags", json={"outputs": [*outputs, "nobody wrote this"]})

    assert answer.status_code == 404
    assert "nobody wrote this" in answer.json()["detail"]
    assert api.get("/api/flags").json() == []


@pytest.mark.parametrize("sort", ["coverage", "suspicion"])
def test_the_review_names_the_runs_that_flagged_outputs_share(
    api: httpx.Client, outputs: list[str], sort: str
) -> None:
    api.post("/api/flags", json={"outputs": outputs})

    review = api.get("/api/review", params={"sort": sort}).json()

    assert (review["flag_count"], review["sort"]) == (2, sort)
    assert {each["run"]["component"]: each["coverage"] for each in review["candidates"]} == {
        "training": 1.0,
        "inference": 1.0,
    }


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/api/flags", {"outputs": []}, "name at least one output"),
        ("/api/flags", {"outputs": ["a\0"]}, "NUL"),
        ("/api/flags", {"outputs": ["a"], "reason": "\0"}, "NUL"),
        ("/api/flags", {"outputs": ["a"] * 10_001}, "at most 10,000"),
        ("/api/flags", {}, "outputs"),
        ("/api/flags", [], "dictionary"),
        ("/api/flags/resolve", {}, 'either "outputs", or "all"'),
        ("/api/flags/resolve", {"outputs": ["p/1"], "all": True}, 'either "outputs", or "all"'),
    ],
)
def test_a_request_that_makes_no_sense_is_told_why(
    api: httpx.Client, path: str, body: Any, complaint: str
) -> None:
    answer = api.post(path, json=body)

    assert answer.status_code == 422
    assert complaint in answer.json()["detail"]
