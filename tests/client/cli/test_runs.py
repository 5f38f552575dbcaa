import json
from collections.abc import Callable

import httpx
import pytest
from builders import make_run, make_test, read, wrote
from calling import Mltrace

Record = Callable[..., None]

LONG = f"s3://warehouse/{'x' * 100}/part.parquet"
CODE = "def train(lr):\n    return fit(lr)\n"


@pytest.fixture
def runs(record: Record) -> None:
    record(
        make_run("cleaning", start=0, io=[wrote(LONG)]),
        make_run(
            "training",
            start=60 * 24 * 40,
            io=[read(LONG), wrote("model.joblib", "xxh3:abc", type="model", size_bytes=1_234_567)],
            execution="error",
            error_type="ValueError",
            message="no [bold]rows[/bold]",
            tests=(make_test("testRange"), make_test("testNulls", "fail", message="12 % nulls")),
            code=CODE,
            code_function="pipeline.train",
            code_file="pipeline.py",
            code_line=12,
            git_hash="596b1e12bcf849ebd6db856071b90aad7e921c8d",
            git_dirty=True,
            notes="first try\nwith care",
        ),
    )


@pytest.mark.usefixtures("runs")
def test_recent_shows_each_part_of_the_status_in_words(mltrace: Mltrace) -> None:
    _, training, cleaning = mltrace.show("recent").splitlines()

    assert training.split()[:1] == ["2"]
    assert [word for word in training.split() if word in {"error", "failed", "stale"}] == [
        "error",
        "failed",
        "stale",
    ]
    assert " ok " in cleaning
    assert " none " in cleaning
    assert " fresh " in cleaning


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("columns", [30, 80, 160])
def test_recent_fits_the_screen(mltrace: Mltrace, columns: int) -> None:
    for command in (["recent"], ["history", "training"], ["components"], ["inspect", "2"]):
        shown = mltrace.show(*command, COLUMNS=str(columns))
        assert max(len(line) for line in shown.splitlines()) <= columns


@pytest.mark.usefixtures("runs")
def test_long_names_are_cut_in_the_middle_in_lists_and_whole_in_inspect(mltrace: Mltrace) -> None:
    listed, inspected = mltrace.show("recent"), mltrace.show("inspect", "1", COLUMNS="300")

    assert "s3://" in listed
    assert "…" in listed
    assert ".parquet" in listed
    assert LONG in inspected


@pytest.mark.usefixtures("runs")
def test_recent_keeps_to_its_limit_and_says_that_there_is_more(mltrace: Mltrace) -> None:
    shown = mltrace.show("recent", "--limit", "1")

    assert "training" in shown
    assert "cleaning" not in shown
    assert "--limit" in shown


@pytest.mark.usefixtures("runs")
def test_history_shows_the_runs_of_one_component(mltrace: Mltrace) -> None:
    shown = mltrace.show("history", "training")

    assert "596b1e12" in shown
    assert "cleaning" not in shown


@pytest.mark.usefixtures("runs")
def test_inspect_shows_all_that_is_known(mltrace: Mltrace) -> None:
    shown = mltrace.show("inspect", "2", COLUMNS="200")

    for said in (
        "error · tests failed · stale",
        "2026-02-10",
        "plumber",
        "596b1e12bcf849ebd6db856071b90aad7e921c8d",
        "not committed",
        "ValueError: no [bold]rows[/bold]",
        "cleaning (ID 1) was run 39 days ago.",
        "failed  after  RangeTest.testNulls",
        "12 % nulls",
        f"{LONG} · from cleaning (run 1)",
        "model.joblib · model · 1.23 MB · xxh3:abc",
        "first try",
        "with care",
        "Code pipeline.train (pipeline.py:12)",
        "13     return fit(lr)",
        "mltrace trace model.joblib",
    ):
        assert said in shown, said


@pytest.mark.usefixtures("runs")
def test_a_run_is_found_by_the_beginning_of_its_span_id(mltrace: Mltrace) -> None:
    span_id = json.loads(mltrace.show("inspect", "2", "--json"))["summary"]["span_id"]

    assert mltrace.show("inspect", span_id) == mltrace.show("inspect", "2")


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("recent", "--limit", "1"), "/api/runs?limit=1"),
        (("history", "training"), "/api/runs?component=training"),
        (("inspect", "2"), "/api/runs/2"),
        (("trace", "model.joblib"), "/api/trace?output=model.joblib"),
        (("components",), "/api/components"),
        (("tag", "etl"), "/api/tags/etl"),
        (("tags",), "/api/tags"),
        (("review",), "/api/review"),
    ],
)
def test_json_is_what_the_api_answers(
    mltrace: Mltrace, server: str, arguments: tuple[str, ...], path: str
) -> None:
    assert json.loads(mltrace.show(*arguments, "--json")) == httpx.get(server + path).json()


def test_names_cannot_style_or_move_what_is_written(mltrace: Mltrace, record: Record) -> None:
    record(make_run("[red]x\x1b[2J\n:boom:", io=[wrote("\u202egnp.[/]")]))

    for command in (["recent"], ["components"], ["trace", "\u202egnp.[/]"], ["inspect", "1"]):
        shown = mltrace.show(*command, COLUMNS="120")
        assert r"[red]x\x1b[2J\n:boom:" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


@pytest.mark.usefixtures("runs")
def test_a_terminal_without_unicode_gets_question_marks(mltrace: Mltrace) -> None:
    shown = mltrace.show("inspect", "2", PYTHONIOENCODING="ascii")

    assert "error ? tests failed ? stale" in shown


@pytest.mark.usefixtures("runs")
def test_colour_repeats_words_and_can_be_switched_off(mltrace: Mltrace) -> None:
    coloured = mltrace.show("inspect", "2", FORCE_COLOR="1", TERM="xterm")
    plain = mltrace.show("inspect", "2", FORCE_COLOR="1", TERM="xterm", NO_COLOR="1")

    assert "\x1b[1;31merror" in coloured
    assert "\x1b[1;31m" not in plain
    assert "\x1b" not in mltrace.show("inspect", "2")


def test_the_empty_lists_say_what_to_do(mltrace: Mltrace) -> None:
    assert "mltrace demo" in mltrace.show("recent")
    assert "first run" in mltrace.show("components")
    assert "tags=" in mltrace.show("tags")
    assert "mltrace flag OUTPUT" in mltrace.show("review")


@pytest.mark.usefixtures("runs")
def test_notes_are_written_and_listed(mltrace: Mltrace) -> None:
    assert "no note" in mltrace.show("notes", "1")

    written = mltrace.show("notes", "2", "rows were [red]missing")
    listed = mltrace.show("notes", "2").splitlines()
    inspected = mltrace.show("inspect", "2", COLUMNS="200")

    assert "rows were [red]missing" in written
    assert listed[1] == "rows were [red]missing"
    assert listed[2].startswith("the run itself, ")
    assert listed[3:] == ["first try", "with care"]
    assert "rows were [red]missing" in inspected
    assert "--limit" in mltrace.show("notes", "2", "--limit", "1")


@pytest.mark.usefixtures("runs")
def test_runs_are_filtered(mltrace: Mltrace) -> None:
    def ids(*arguments: str) -> list[str]:
        shown = json.loads(mltrace.show(*arguments, "--json"))
        return [run["component"] for run in shown["items"]]

    assert ids("recent", "--status", "error") == ["training"]
    assert ids("recent", "--status", "tests-failed", "--owner", "plumber") == ["training"]
    assert ids("recent", "--owner", "nobody") == []
    assert ids("recent", "--tag", "etl", "--since", "2026-01-15") == ["training"]
    assert ids("recent", "--until", "2026-01-15T12:00") == ["cleaning"]
    assert ids("recent", "--since", "9h") == []
    assert ids("history", "training", "--since", "520w", "--status", "error") == ["training"]
    assert ids("history", "training", "--until", "2026-01-01") == []
    assert ids("recent", "--flagged") == []


@pytest.mark.usefixtures("runs")
def test_inspect_tells_what_is_wrong_upstream(mltrace: Mltrace, record: Record) -> None:
    record(make_run("inference", start=60 * 24 * 41, io=[read("model.joblib")]))

    shown = mltrace.show("inspect", "3")

    for said in (
        "! 1 failed test among 2 earlier runs",
        "! 1 stale run among 2 earlier runs",
        "! 1 failed run among 2 earlier runs",
        "one run up. (run 2)",
    ):
        assert said in shown


@pytest.mark.usefixtures("runs")
def test_search_finds_by_words(mltrace: Mltrace) -> None:
    found = mltrace.show("search", "first", "care")

    assert "the run itself" in found
    assert "about run 2" in found
    assert "model.joblib" in mltrace.show("search", "MODEL")
    assert "cleaning" in mltrace.show("search", "clean")
    assert "more words" in mltrace.show("search", "ing", "--limit", "1")
    nothing = mltrace("search", "no", "such", "thing")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "no such thing" in nothing.stderr
