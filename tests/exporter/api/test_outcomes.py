from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from builders import at, make_run, make_test

Record = Callable[..., None]


def test_each_test_of_a_component_tells_how_it_ended_newest_first(
    api: httpx.Client, record: Record
) -> None:
    one = make_test("testRange", "pass", duration_s=0.5)
    two = make_test("testRange", "fail", message="3 are above 1440")
    new = make_test("testNew", "skip", message="it is the first", phase="before")
    record(
        make_run("daily", 1, tests=(one,)),
        make_run("daily", 2),
        make_run("daily", 3, tests=(new, two)),
        make_run("other", 4, tests=(make_test("testOther"),)),
    )

    newest, ranged = api.get("/api/components/daily/tests").json()

    assert (newest["case"], newest["phase"], len(newest["trials"])) == ("testNew", "before", 1)
    assert (ranged["suite"], ranged["case"]) == ("RangeTest", "testRange")
    found = [(each["status"], each["message"], each["duration_s"]) for each in ranged["trials"]]
    assert found == [("fail", "3 are above 1440", None), ("pass", None, 0.5)]
    assert ranged["trials"][1]["started_at"] == at(1).isoformat().replace("+00:00", "Z")
    assert ranged["trials"][0]["run_id"] == newest["trials"][0]["run_id"]


def test_so_many_runs_are_looked_at_as_are_asked_for(api: httpx.Client, record: Record) -> None:
    record(*(make_run("daily", minute, tests=(make_test(),)) for minute in range(9)))

    (found,) = api.get("/api/components/daily/tests", params={"limit": 4}).json()

    assert len(found["trials"]) == 4


@pytest.mark.parametrize("name", ["team/cleaning", "50 % ü?#"])
def test_a_component_may_have_any_name(api: httpx.Client, record: Record, name: str) -> None:
    record(make_run(name, tests=(make_test(),)))

    assert len(api.get(f"/api/components/{quote(name, safe='')}/tests").json()) == 1


def test_without_tests_there_is_nothing_to_tell(api: httpx.Client, record: Record) -> None:
    record(make_run("daily"))

    assert api.get("/api/components/daily/tests").json() == []
    assert api.get("/api/components/unknown/tests").status_code == 404


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["pass", "skip"], "passed"),
        (["skip"], "none"),
        (["pass", "error"], "failed"),
        (["skip", "fail"], "failed"),
    ],
)
def test_a_skipped_test_says_nothing_of_a_run_and_one_that_could_not_be_run_fails_it(
    api: httpx.Client,
    record: Record,
    connection: sa.Connection,
    statuses: list[str],
    verdict: str,
) -> None:
    record(make_run("daily", tests=tuple(make_test(each, each) for each in statuses)))

    (run,) = api.get("/api/runs").json()["items"]
    failed = api.get("/api/runs", params={"status": "tests-failed"}).json()["items"]

    assert run["tests"] == verdict
    assert len(failed) == (verdict == "failed")
    recent = connection.execute(sa.text("SELECT tests FROM mltrace_ro.recent_runs"))
    assert recent.scalars().all() == [verdict]
    shown = connection.execute(sa.text("SELECT outcome FROM mltrace_ro.test_outcomes"))
    words = {"pass": "passed", "fail": "failed", "error": "errored", "skip": "skipped"}
    assert set(shown.scalars()) == {words[each] for each in statuses}
