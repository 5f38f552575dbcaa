from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa
from builders import make_marker, make_run, make_test, read, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrace_exporter.model import Batch, Words
from mltrace_exporter.store.arrivals.write import write_batch

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


@pytest.fixture
def mixed(record: Record, engine: sa.Engine) -> None:
    """Six runs a minute apart, each remarkable in its own way; the last two have not ended."""
    tests = (make_test(status="fail"),)
    record(
        make_run("a", 0, partition="p", io=[wrote("bad.csv")]),
        make_run("b", 1, words=Words("jeanne", None, ("x", "etl"))),
        make_run("a", 2, execution="error"),
        make_run("b", 3, tests=tests, words=Words("jeanne", None, ("x", "etl"))),
    )
    killed, silent = make_run("a", 4), make_run("b", 5, words=None)
    markers = [make_marker(killed, state="aborted"), make_marker(silent)]
    with engine.begin() as connection:
        write_batch(connection, Batch([], markers))


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"status": "ok"}, [4, 2, 1]),
        ({"status": "error"}, [3]),
        ({"status": "aborted"}, [6, 5]),
        ({"status": "running"}, []),
        ({"status": "ended"}, [4, 3, 2, 1]),
        ({"status": "tests-failed"}, [4]),
        ({"partition": "p"}, [1]),
        ({"partition": "q"}, []),
        ({"owner": "jeanne"}, [6, 4, 2]),
        ({"owner": "jeanne", "tag": "x", "status": "ok"}, [4, 2]),
        ({"tag": "etl", "component": "a"}, [5, 3, 1]),
        ({"since": "2026-01-01T00:02:00Z", "until": "2026-01-01T01:04:00+01:00"}, [4, 3]),
        ({"since": "2026-01-01T20:02:00+20:00", "until": "2026-01-01T00:04:00Z"}, [4, 3]),
        ({"since": "2026-01-01T00:05"}, [6]),
        ({"order": "oldest", "limit": "2"}, [1, 2]),
        ({"order": "oldest", "skip": "1", "component": "a"}, [3, 5]),
        ({"skip": "4"}, [2, 1]),
        ({"tag": "etl", "skip": "2", "limit": "2"}, [4, 3]),
        ({"flagged": "true"}, [1]),
        ({"before": "3"}, [2, 1]),
        ({"before": "5", "order": "oldest"}, [6]),
    ],
)
def test_runs_are_filtered_and_counted(
    api: httpx.Client, query: dict[str, str], ids: list[int]
) -> None:
    api.post("/api/flags", json={"outputs": ["bad.csv"]})

    assert [run["id"] for run in api.get("/api/runs", params=query).json()["items"]] == ids
    if not {"before", "skip", "limit"} & query.keys():
        assert api.get("/api/runs/count", params=query).json() == {"count": len(ids)}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    size=st.integers(1, 4),
    order=st.sampled_from(["newest", "oldest"]),
    tag=st.sampled_from([None, "etl"]),
)
@pytest.mark.usefixtures("mixed")
def test_pages_hold_every_run_once(
    api: httpx.Client, size: int, order: str, tag: str | None
) -> None:
    query: dict[str, str | int] = {"limit": size, "order": order}
    if tag:
        query["tag"] = tag
    found: list[int] = []
    while True:
        page = api.get("/api/runs", params=query).json()
        found += [run["id"] for run in page["items"]]
        if page["next_cursor"] is None:
            break
        query["before"] = page["next_cursor"]

    assert found == sorted(range(1, 7), reverse=order == "newest")


def test_all_notes_are_kept_and_the_newest_is_shown(api: httpx.Client, record: Record) -> None:
    record(make_run(notes="brought along"), make_run())

    for text in ("first", "second"):
        note = api.post("/api/runs/1/notes", json={"text": text, "author": "jeanne"}).json()
        assert (note["text"], note["author"], note["run_id"]) == (text, "jeanne", 1)
    page = api.get("/api/runs/1/notes", params={"limit": 2}).json()
    rest = api.get("/api/runs/1/notes", params={"before": page["next_cursor"]}).json()
    run = api.get("/api/runs/1").json()

    assert [note["text"] for note in page["items"]] == ["second", "first"]
    assert [(note["id"], note["text"]) for note in rest["items"]] == [(None, "brought along")]
    assert rest["next_cursor"] is None
    assert run["notes"] == "second"
    assert [note["text"] for note in run["note_history"]] == ["second", "first", "brought along"]
    assert api.get("/api/runs/2").json()["notes"] is None
    assert api.get("/api/runs/2/notes").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [({"text": " \n"}, "say something"), ({"text": "a\0"}, "NUL"), ({}, "text")],
)
def test_a_note_that_says_nothing_is_refused(
    api: httpx.Client, record: Record, body: dict[str, str], complaint: str
) -> None:
    record(make_run())

    answer = api.post("/api/runs/1/notes", json=body)

    assert answer.status_code == 422
    assert complaint in answer.json()["detail"]


def test_a_run_tells_what_is_wrong_with_its_ancestors(api: httpx.Client, record: Record) -> None:
    day = 60 * 24
    record(
        make_run("raw", 0, io=[wrote("raw")], tests=(make_test(status="fail"),) * 2),
        make_run("clean", 40 * day, io=[read("raw"), wrote("clean")], execution="error"),
        make_run("train", 41 * day, io=[read("clean"), wrote("model")]),
        make_run("predict", 42 * day, io=[read("model"), read("clean")]),
    )

    verdict = api.get("/api/runs/4").json()["upstream"]

    assert verdict == {
        "run_count": 3,
        "failed_tests": 2,
        "stale": 1,
        "error": 1,
        "aborted": 0,
        "truncated": False,
        "faults": [
            {
                "run_id": 2,
                "depth": 1,
                "sentence": "Made from what clean left when it failed one run up.",
            },
            {
                "run_id": 1,
                "depth": 2,
                "sentence": "Made from data that failed RangeTest.testRange, RangeTest.testRange"
                " two runs up.",
            },
        ],
    }
    assert api.get("/api/runs/1").json()["upstream"]["run_count"] == 0


def test_a_time_that_no_database_can_hold_is_refused(api: httpx.Client) -> None:
    refused = api.get("/api/runs", params={"until": "0001-01-01T00:00:00+23:00"})

    assert refused.status_code == 422
    assert "between the years 1 and 9999" in refused.text
