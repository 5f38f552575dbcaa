"""What differs between two runs, as the API tells it."""

from collections.abc import Callable
from typing import Any

import httpx
from builders import make_profile, make_run, make_test, read, wrote
from summarising import make_numeric

Record = Callable[..., None]


def changes(api: httpx.Client, ref: int, **query: int) -> dict[str, Any]:
    answer = api.get(f"/api/runs/{ref}/changes", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_run_is_compared_to_the_one_before_of_its_component(
    api: httpx.Client, record: Record
) -> None:
    record(make_run("etl", 0), make_run("other", 5), make_run("etl", 10))

    told = changes(api, 3)

    assert (told["before"]["id"], told["after"]["id"]) == (1, 3)
    assert told["sentences"] == told["facts"] == told["attributes"] == []


def test_a_run_is_compared_to_the_one_that_is_named(api: httpx.Client, record: Record) -> None:
    record(make_run("etl", 0), make_run("other", 5), make_run("etl", 10))

    assert changes(api, 3, since=2)["before"]["component"] == "other"


def test_what_may_explain_another_result_is_told_in_sentences(
    api: httpx.Client, record: Record
) -> None:
    for number, status in enumerate(["pass", "fail"]):
        record(
            make_run(
                "training",
                5 * number,
                io=[read("clean.csv", f"xxh3:0{number}"), wrote("model")],
                code=f"a = {number}",
                git_hash=f"{number}" * 40,
                attributes={"rate": number / 10, "seed": 7},
                tests=(make_test(status=status),),
            )
        )

    told = changes(api, 2)

    assert told["code"] == "changed"
    assert told["attributes"] == [{"name": "rate", "before": "0.0", "after": "0.1"}]
    assert told["sentences"] == [
        "The code changed.",
        f"commit: {'1' * 40} (before: {'0' * 40}).",
        "rate: 0.1 (before: 0.0).",
        "Input clean.csv has another content.",
        "Test RangeTest.testRange: fail (before: pass).",
    ]


def test_every_aspect_is_judged(api: httpx.Client, record: Record) -> None:
    for number in range(2):
        delays = make_numeric("delay", [minutes + 500.0 * number for minutes in range(400)])
        record(
            make_run(
                "training",
                5 * number,
                io=[read("clean.csv", "xxh3:01")],
                code="a = 1",
                git_hash=f"{number}" * 40,
                partition="east",
                profiles=(make_profile(delays, variable="flights"),),
                tests=(make_test(), *([make_test("testNew", "fail")] if number else [])),
            )
        )

    aspects = changes(api, 2)["aspects"]

    assert [(each["aspect"], each["change"]) for each in aspects] == [
        ("code", "same"),
        ("git", "changed"),
        ("parameters", "unknown"),
        ("inputs", "same"),
        ("data", "changed"),
        ("tests", "changed"),
    ]
    assert aspects[4]["sentences"][0].startswith("flights, delay: ")
    assert aspects[5]["sentences"] == ["Test RangeTest.testNew: fail (before: not run)."]


def test_names_that_differ_in_a_date_are_taken_for_one_another(
    api: httpx.Client, record: Record
) -> None:
    record(
        make_run("etl", 0, io=[read("2013-04.csv", "xxh3:01"), read("same", "xxh3:05")]),
        make_run("etl", 5, io=[read("2013-05.csv", "xxh3:02"), read("same", "xxh3:05")]),
    )

    pairs = [
        (pair["change"], pair["before"]["name"], pair["after"]["name"])
        for pair in changes(api, 2)["inputs"]
    ]

    assert pairs == [("changed", "2013-04.csv", "2013-05.csv"), ("same", "same", "same")]


def test_contents_of_which_no_digest_is_known_are_not_said_to_differ(
    api: httpx.Client, record: Record
) -> None:
    record(
        make_run("etl", 0, io=[read("a"), read("b", "xxh3:01"), read("gone")]),
        make_run("etl", 5, io=[read("a"), read("b", "sampled:01"), read("new")]),
    )

    assert [pair["change"] for pair in changes(api, 2)["inputs"]] == [
        "removed",
        "added",
        "unknown",
        "unknown",
    ]


def test_the_first_run_has_none_to_be_compared_to(api: httpx.Client, record: Record) -> None:
    record(make_run("etl", 0))

    answer = api.get("/api/runs/1/changes")

    assert answer.status_code == 404
    assert "Run 1 is the first of its component" in answer.json()["detail"]
    assert api.get("/api/runs/1/changes", params={"since": "999"}).status_code == 404
