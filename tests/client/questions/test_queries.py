"""The documented questions, asked of a real server as a user's program asks them."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from builders import at, make_run, make_test, read, wrote
from serving import serve

import mltrace_otel as mltrace
from mltrace_exporter.main import create_app
from mltrace_exporter.model import Words
from mltrace_otel.contract.api import CLEAN_CONFIRMATION

Record = Callable[..., None]
DAY = 60 * 24


pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def pipeline(record: Record) -> None:
    """Cleaning feeds features and training; inference reads both, in a diamond."""
    record(
        make_run("cleaning", 0, io=[read("raw.csv"), wrote("clean.csv", "d:clean")]),
        make_run(
            "features",
            DAY,
            io=[read("clean.csv"), wrote("features.csv")],
            words=Words("jeanne", "Makes features", ("etl", "nyc")),
            tests=(make_test(status="fail", message="12 % nulls"),),
            notes="first try",
            code="def f(): ...",
        ),
        make_run("training", 2 * DAY, io=[read("clean.csv"), wrote("model.joblib")]),
        make_run(
            "inference",
            40 * DAY,
            io=[read("features.csv"), read("model.joblib"), wrote("predictions.csv")],
        ),
    )


@pytest.mark.usefixtures("pipeline")
def test_a_backtrace_lists_runs_with_their_distance() -> None:
    trace = mltrace.backtrace("predictions.csv")

    assert [(depth, run.component_name) for depth, run in trace] == [
        (0, "inference"),
        (1, "features"),
        (1, "training"),
        (2, "cleaning"),
    ]
    assert "predictions.csv" in repr(trace)
    assert "<td>cleaning</td>" in trace._repr_html_()
    assert list(trace.to_pandas()["depth"]) == [0, 1, 1, 2]


@pytest.mark.usefixtures("pipeline")
def test_a_web_trace_is_a_tree_that_shows_each_run_in_full_once() -> None:
    tree = mltrace.web_trace("predictions.csv")

    features, training = tree.children
    assert (tree.run.component_name, tree.pointers) == ("inference", ["predictions.csv"])
    assert (features.pointers, training.pointers) == (["features.csv"], ["model.joblib"])
    assert [child.is_repeated for child in (*features.children, *training.children)] == [
        False,
        True,
    ]
    assert repr(tree).count("of cleaning") == 2
    assert "    <run 1 of cleaning" in repr(tree)


@pytest.mark.usefixtures("pipeline")
def test_a_recorded_run_has_the_documented_attributes() -> None:
    run = mltrace.get_component_run_information(2)

    assert (run.id, run.component_name, run.owner) == (2, "features", "jeanne")
    assert (run.start_timestamp, run.end_timestamp) == (at(DAY), at(DAY + 1))
    assert ([p.name for p in run.inputs], [p.name for p in run.outputs]) == (
        ["clean.csv"],
        ["features.csv"],
    )
    assert (run.dependencies, run.notes, run.code_snapshot) == (
        ["cleaning"],
        "first try",
        "def f(): ...",
    )
    assert run.test_outcomes[0].message == "12 % nulls"
    assert "run 2 of features: ok, tests failed; 2026-01-02 00:00:00 UTC, took 60 s" in repr(run)
    assert run == mltrace.get_component_run_information(run.summary.span_id)
    assert mltrace.get_component_run_information("4").stale == [
        "features (ID 2) was run 38 days ago.",
        "training (ID 3) was run 37 days ago.",
    ]


@pytest.mark.usefixtures("pipeline")
def test_a_run_of_a_list_asks_for_the_rest_when_it_is_used() -> None:
    [run] = mltrace.get_history("features")

    assert run.summary.outputs == ["features.csv"]
    assert run.notes == "first try"
    assert "features.csv" in repr(run.outputs)


def test_history_is_bounded_by_number_and_time(record: Record) -> None:
    record(*(make_run("daily", day * DAY) for day in range(12)))

    newest = mltrace.get_history("daily")
    some = mltrace.get_history("daily", 2)
    between = mltrace.get_history("daily", None, "2026-01-03", date(2026, 1, 5))
    late = mltrace.get_history("daily", date_lower=datetime(2026, 1, 12, tzinfo=UTC))

    assert [run.id for run in newest] == list(range(12, 2, -1))
    assert [run.id for run in some] == [12, 11]
    assert [run.id for run in between] == [4, 3]
    assert [run.id for run in late] == [12]
    assert isinstance(newest.to_pandas()["started"][0], pd.Timestamp)
    assert repr(newest[:2]).count("daily") == 2


@pytest.mark.usefixtures("pipeline")
def test_recent_ids_go_on_where_they_ended() -> None:
    assert mltrace.get_recent_run_ids() == [4, 3, 2, 1]
    assert mltrace.get_recent_run_ids(2) == [4, 3]
    assert mltrace.get_recent_run_ids(limit=2, last_run_id=3) == [2, 1]


@pytest.mark.usefixtures("pipeline")
def test_components_are_found_by_tag_and_owner() -> None:
    names = ["cleaning", "features", "inference", "training"]

    assert [each.name for each in mltrace.get_components()] == names
    assert [each.name for each in mltrace.get_components("nyc")] == ["features"]
    assert [each.name for each in mltrace.get_components(tag="etl", owner="jeanne")] == ["features"]
    assert list(mltrace.get_components_with_tag("untold")) == []
    assert len(mltrace.get_components_with_owner("plumber")) == 3
    assert mltrace.get_component_information("features").description == "Makes features"
    assert mltrace.get_tags() == ["etl", "nyc"]
    assert repr(mltrace.get_components("nyc")).splitlines()[1].startswith("features  jeanne")
    assert repr(mltrace.get_components(owner="nobody")) == "(none)"


@pytest.mark.usefixtures("pipeline")
def test_a_pointer_tells_who_wrote_and_who_read_it() -> None:
    pointer = mltrace.get_io_pointer("clean.csv")

    assert [use.component for use in pointer.versions] == ["cleaning"]
    assert [use.component for use in pointer.readers] == ["training", "features"]
    assert pointer.versions.to_pandas()["digest"][0] == "d:clean"
    assert repr(pointer) == "<unknown 'clean.csv': 1 versions, 2 readers>"


@pytest.mark.usefixtures("pipeline")
def test_flags_come_and_go_and_are_reviewed() -> None:
    assert mltrace.flag_output_id("predictions.csv", "negative", "high")
    assert not mltrace.flag_output_id("predictions.csv")
    assert mltrace.flag_output_id("model.joblib")

    review = mltrace.review_flagged_outputs()
    counts = {run.component_name: count for run, count in review}

    assert counts == {"cleaning": 2, "training": 2, "features": 1, "inference": 1}
    assert list(review.to_pandas()["coverage"]) == [1.0, 1.0, 0.5, 0.5]
    assert "flagged outputs" in repr(review)
    [first, *_] = mltrace.get_io_pointer("predictions.csv").flags
    assert (first.reason, first.severity) == ("negative", "high")
    assert mltrace.unflag_output_id("model.joblib", "trained again")
    assert not mltrace.unflag_output_id("model.joblib")
    assert mltrace.unflag_all() == 1
    assert mltrace.review_flagged_outputs() == []
    assert mltrace.get_io_pointer("model.joblib").flags[0].resolution == "trained again"


@pytest.mark.usefixtures("pipeline")
def test_notes_are_kept_and_the_newest_is_shown() -> None:
    mltrace.add_notes_to_component_run(2, "nulls come from the feed")
    note = mltrace.add_notes_to_component_run(2, "feed repaired")
    run = mltrace.get_component_run_information(2)

    assert run.notes == note.text == "feed repaired"
    assert [each.text for each in run.note_history] == [
        "feed repaired",
        "nulls come from the feed",
        "first try",
    ]
    assert note.author


def test_a_component_can_be_described_before_it_runs(record: Record) -> None:
    created = mltrace.create_component("cleaning", "Cleans raw data", "plumber", ["etl"])
    again = mltrace.create_component("cleaning", "Cleans data", "jeanne", tags=[])

    assert created
    assert (created.description, created.owner, created.tags) == (
        "Cleans raw data",
        "plumber",
        ["etl"],
    )
    assert again
    assert (again.description, again.owner, again.tags) == ("Cleans data", "jeanne", ["etl"])
    record(make_run("cleaning", words=None))
    assert mltrace.get_component_information("cleaning").owner == "jeanne"


def test_a_tag_that_a_person_gave_outlives_later_runs(record: Record) -> None:
    record(make_run("cleaning", words=Words("plumber", None, ("etl",))))

    mltrace.tag_component("cleaning", ["nyc", "etl"])
    mltrace.tag_component("cleaning", "core")
    year = 525_600
    record(make_run("cleaning", 9 * year, words=Words("groot", "Later", ("daily", "core"))))

    found = mltrace.get_component_information("cleaning")
    assert (found.owner, found.tags) == ("groot", ["daily", "core", "etl", "nyc"])
    assert mltrace.get_tags() == ["core", "daily", "etl", "nyc"]


def test_what_nobody_recorded_is_one_sentence() -> None:
    questions: dict[str, Callable[[], object]] = {
        "nothing.csv": lambda: mltrace.backtrace("nothing.csv"),
        "no.csv": lambda: mltrace.web_trace("no.csv"),
        "nobody": lambda: mltrace.get_history("nobody"),
        "none": lambda: mltrace.get_component_information("none"),
        "999": lambda: mltrace.get_component_run_information(999),
        "998": lambda: mltrace.get_recent_run_ids(last_run_id=998),
        "what.csv": lambda: mltrace.get_io_pointer("what.csv"),
        "bad.csv": lambda: mltrace.flag_output_id("bad.csv"),
        "good.csv": lambda: mltrace.unflag_output_id("good.csv"),
        "997": lambda: mltrace.add_notes_to_component_run(997, "hm"),
        "untold": lambda: mltrace.tag_component("untold", ["a"]),
    }
    for named, ask in questions.items():
        with pytest.raises(mltrace.NotFound, match=named) as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_without_a_server_questions_fail_and_pipelines_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLTRACE_ADDRESS", "127.0.0.1:1")

    with pytest.raises(mltrace.ServerUnreachable, match="mltrace up"):
        mltrace.get_tags()
    assert mltrace.create_component("cleaning", "Cleans", "plumber") is None
    assert mltrace.tag_component("cleaning", ["etl"]) is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "127.0.0.1:1" in caplog.text


@pytest.mark.usefixtures("pipeline")
def test_everything_is_deleted_only_if_confirmed_and_allowed(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(mltrace.RequestRefused, match="keeps what was recorded"):
        mltrace.clean_db(CLEAN_CONFIRMATION)
    with serve(create_app(engine, allows_clean=True)) as url:
        monkeypatch.setenv("MLTRACE_ADDRESS", url)
        for words in ((), ("yes",)):
            with pytest.raises(mltrace.RequestRefused, match=CLEAN_CONFIRMATION):
                mltrace.clean_db(*words)
        mltrace.flag_output_id("model.joblib")
        mltrace.add_notes_to_component_run(1, "note")
        assert mltrace.clean_db("delete all data") == 4
        assert mltrace.get_components() == []
        assert mltrace.get_recent_run_ids() == []
        assert mltrace.clean_db(confirm="delete all data") == 0


def test_a_text_that_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        mltrace.get_history("cleaning", date_lower="yesterday")


def test_long_tables_are_cut_when_shown_and_whole_as_data(record: Record) -> None:
    record(*(make_run("often", minute) for minute in range(70)))

    runs = mltrace.get_history("often", limit=None)

    assert len(runs) == len(runs.to_pandas()) == 70
    assert repr(runs).splitlines()[-1] == "... and 10 more"
    assert "10 more" in runs._repr_html_()
