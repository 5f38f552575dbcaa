from collections.abc import Callable

import httpx
from builders import make_run, make_test, wrote

Record = Callable[..., None]


def test_the_newest_runs_come_first_and_the_cursor_gives_the_rest(
    api: httpx.Client, record: Record
) -> None:
    record(*(make_run(f"stage{number}", start=number) for number in range(5)))

    first = api.get("/api/runs", params={"limit": 3}).json()
    rest = api.get("/api/runs", params={"limit": 3, "before": first["next_cursor"]}).json()

    assert [run["component"] for run in first["items"]] == ["stage4", "stage3", "stage2"]
    assert [run["component"] for run in rest["items"]] == ["stage1", "stage0"]
    assert rest["next_cursor"] is None


def test_runs_are_found_by_component_and_by_tag(api: httpx.Client, record: Record) -> None:
    record(make_run("cleaning"), make_run("a/b: ü"), make_run("untagged", words=None))

    named = api.get("/api/runs", params={"component": "a/b: ü"}).json()["items"]
    tagged = api.get("/api/runs", params={"tag": "etl"}).json()["items"]

    assert [run["component"] for run in named] == ["a/b: ü"]
    assert {run["component"] for run in tagged} == {"cleaning", "a/b: ü"}


def test_a_run_is_found_by_its_number_and_by_its_span(api: httpx.Client, record: Record) -> None:
    record(make_run(io=[wrote("clean.csv")], tests=(make_test(status="fail", message="bad"),)))
    summary = api.get("/api/runs").json()["items"][0]

    by_number = api.get(f"/api/runs/{summary['id']}").json()
    by_span = api.get(f"/api/runs/{summary['span_id']}").json()

    assert by_number == by_span
    assert by_number["summary"] == summary
    assert by_number["outputs"][0]["name"] == "clean.csv"
    assert by_number["test_outcomes"][0]["message"] == "bad"
    assert summary["tests"] == "failed"


def test_times_are_utc_and_say_so(api: httpx.Client, record: Record) -> None:
    record(make_run(start=1))

    assert api.get("/api/runs").json()["items"][0]["started_at"] == "2026-01-01T00:01:00Z"


def test_a_failed_run_tells_its_stack_trace_apart_from_its_attributes(
    api: httpx.Client, record: Record
) -> None:
    attributes = {"exception.stacktrace": "Traceback ...", "lr": 0.5}
    record(make_run(execution="error", message="ValueError: no", attributes=attributes))
    run = api.get("/api/runs/1").raise_for_status().json()
    assert (run["stacktrace"], run["attributes"]) == ("Traceback ...", {"lr": 0.5})
