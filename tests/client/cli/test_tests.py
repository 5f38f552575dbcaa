from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from builders import EPOCH, make_run, make_test
from calling import Mltrace

from mltrace_otel.contract.api import CaseHistory

Record = Callable[..., None]


def minutes_ago(minutes: float) -> float:
    """Return a moment as builders take it."""
    return (datetime.now(UTC) - EPOCH) / timedelta(minutes=1) - minutes


def record_runs(record: Record, *statuses: str | None) -> None:
    """Store runs whose test ended so, the newest an hour ago; None had no test."""
    for number, status in enumerate(statuses):
        message = None if status == "pass" else f"what was found: {number}"
        tests = [make_test("testRange", status, message=message)] if status else []
        start = minutes_ago(60 + 60 * (len(statuses) - number))
        record(make_run("daily", start, tests=(make_test("testOther"), *tests)))


def test_each_test_has_a_line_with_its_record(mltrace: Mltrace, record: Record) -> None:
    record_runs(record, "pass", "skip", None, "error", "pass", "fail", "fail")

    shown = mltrace.show("tests", "daily")

    assert shown.splitlines()[:4] == [
        "Test                 Phase  Newest     Runs",
        "RangeTest.testOther  after  passed  .......",
        "RangeTest.testRange  after  failed  .s-E.FF",
        "Runs from old to new: . passed, F failed, E could not be run, s skipped, - not ",
    ]
    assert "RangeTest.testRange (after) failed · in 2 runs, since run 6, 3 h ago" in shown
    assert "    what was found: 6" in shown
    assert "mltrace inspect 7" in shown


def test_a_wide_screen_has_room_for_times(mltrace: Mltrace, record: Record) -> None:
    record(make_run("daily", minutes_ago(30), tests=(make_test(duration_s=0.25),)))

    head, line = mltrace.show("tests", "daily", COLUMNS="160").splitlines()[:2]

    assert head.split() == ["Test", "Phase", "Newest", "Took", "When", "Runs"]
    assert line.split() == [
        "RangeTest.testRange",
        "after",
        "passed",
        "250",
        "ms",
        "30",
        "min",
        "ago",
        ".",
    ]
    assert "What they say" not in mltrace.show("tests", "daily")


def test_what_began_before_the_runs_that_are_shown_is_said_to(
    mltrace: Mltrace, record: Record
) -> None:
    record_runs(record, "fail", "fail", "fail")

    assert "in 2 runs, at least since run 2," in mltrace.show("tests", "daily", "--limit", "2")


def test_a_first_failure_is_said_to_be_one(mltrace: Mltrace, record: Record) -> None:
    record_runs(record, "pass", "error")

    assert "(after) error · first in run 2, 2 h ago" in mltrace.show("tests", "daily")


def test_what_failed_is_told_before_what_was_skipped(mltrace: Mltrace, record: Record) -> None:
    skipped = make_test("testA", "skip", message="not here")
    record(make_run("daily", minutes_ago(0), tests=(skipped, make_test("testB", "fail"))))

    told = mltrace.show("tests", "daily").partition("What they say")[2]

    assert told.index("testB") < told.index("testA (after) skipped · run 1,")


def test_the_width_limits_how_many_runs_are_drawn(mltrace: Mltrace, record: Record) -> None:
    record_runs(record, *["pass"] * 40)

    lines = mltrace.show("tests", "daily", "--limit", "100", COLUMNS="60").splitlines()

    assert lines[1].endswith(f"  {'.' * 15}")


def test_json_is_what_the_api_answers(mltrace: Mltrace, record: Record) -> None:
    record_runs(record, "fail")

    told = msgspec.json.decode(mltrace.show("tests", "daily", "--json"), type=list[CaseHistory])

    assert [(each.case, each.trials[0].status) for each in told] == [
        ("testOther", "pass"),
        ("testRange", "fail"),
    ]


def test_hostile_names_and_messages_are_spelt_out(mltrace: Mltrace, record: Record) -> None:
    words = {"suite": "\x1b[31m", "message": "\x1b]0;title\x07"}
    hostile = make_test("\u202etest", "fail", **words)
    record(make_run("daily", minutes_ago(0), tests=(hostile,)))

    shown = mltrace.show("tests", "daily")

    assert not {"\x1b", "\u202e", "\x07"} & set(shown)
    assert r"\x1b[31m.\u202etest" in shown


def test_a_component_without_tests_is_told_how_to_get_some(
    mltrace: Mltrace, record: Record
) -> None:
    record(make_run("daily", minutes_ago(0)))

    assert "Component(..., afterTests=[...]) gives it" in mltrace.show("tests", "daily")
    unknown = mltrace("tests", "unknown")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "There is no component 'unknown'" in unknown.stderr
