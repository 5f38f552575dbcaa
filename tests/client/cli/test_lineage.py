from collections.abc import Callable

import pytest
from builders import make_run, make_test, read, wrote
from calling import Mltrace

Record = Callable[..., None]


def test_the_tree_leads_to_the_ancestors_and_marks_what_is_wrong(
    mltrace: Mltrace, record: Record
) -> None:
    day = 60 * 24
    record(
        make_run("ingest", start=0, io=[wrote("raw.csv", "x:1")]),
        make_run(
            "cleaning",
            start=40 * day,
            io=[read("raw.csv", "x:2"), wrote("clean.csv")],
            tests=[make_test(status="fail")],
        ),
        make_run("inference", start=41 * day, io=[read("clean.csv"), wrote("predictions.csv")]),
    )

    lines = mltrace.show("trace", "predictions.csv", COLUMNS="120").splitlines()

    assert lines[0] == "predictions.csv  last written by run 3, 2 runs upstream"
    assert lines[1].startswith("inference (run 3) · depth 0")
    assert lines[2].startswith("└── cleaning (run 2) · depth 1")
    assert lines[2].endswith("ok · tests failed · stale")
    assert lines[3].strip() == "wrote clean.csv"
    assert lines[4].strip() == "! ingest (ID 1) was run 39 days ago."
    assert lines[5].startswith("    └── ingest (run 1) · depth 2")
    assert lines[7].strip() == "! content of raw.csv changed outside since it was written"


def test_a_run_that_was_declared_upstream_says_so(mltrace: Mltrace, record: Record) -> None:
    record(
        make_run("cleaning", start=0),
        make_run("training", start=5, upstream=("cleaning",), io=[wrote("model")]),
    )

    assert "declared as upstream" in mltrace.show("trace", "model")


def test_diamonds_show_each_run_in_full_once(mltrace: Mltrace, record: Record) -> None:
    rungs = [
        make_run(
            f"{side}{level}",
            start=2 * level,
            io=[
                *(read(f"{other}{level - 1}") for other in ("left", "right") if level),
                wrote(f"{side}{level}"),
            ],
        )
        for level in range(15)
        for side in ("left", "right")
    ]
    record(*rungs)

    lines = mltrace.show("trace", "left14", COLUMNS="200").splitlines()

    full = [line for line in lines if " · depth " in line]
    again = [line for line in lines if "shown under run" in line]
    continued = [line for line in lines if "continued below" in line]
    assert len(full) - len(continued) == 2 * 14 + 1
    assert len(again) == 2 * 13
    assert len(lines) < 200


def test_a_deep_lineage_continues_below(mltrace: Mltrace, record: Record) -> None:
    record(
        *(
            make_run(
                f"step{i}", start=2 * i, io=[*([read(f"o{i - 1}")] if i else []), wrote(f"o{i}")]
            )
            for i in range(300)
        )
    )

    shown = mltrace.show("trace", "o299", COLUMNS="80")

    assert "step0 (run 1) · depth 299" in shown
    assert "continued below, at run" in shown


def test_a_pointer_of_many_names_keeps_its_line_short(mltrace: Mltrace, record: Record) -> None:
    names = [f"prediction-{number}" for number in range(50)]
    record(
        make_run("inference", start=0, io=[wrote(name) for name in names]),
        make_run("report", start=5, io=[*(read(name) for name in names), wrote("report.html")]),
    )

    assert "and 47 more" in mltrace.show("trace", "report.html")


@pytest.fixture
def shared(record: Record) -> None:
    record(
        make_run("cleaning", 0, io=[wrote("clean.csv", "d:1")]),
        make_run("features", 1, io=[read("clean.csv", "d:2"), wrote("f.csv")]),
        make_run("training", 2, io=[read("clean.csv", "d:1"), read("f.csv"), wrote("model")]),
        make_run("report", 3, upstream=("training",)),
    )


@pytest.mark.usefixtures("shared")
def test_impact_shows_what_was_made_from_an_output(mltrace: Mltrace) -> None:
    shown = mltrace.show("impact", "clean.csv")

    assert "clean.csv  last written by run 1, 3 runs downstream" in shown
    assert "read clean.csv" in shown
    assert "changed outside" in shown
    assert "declared as upstream" in shown
    assert "shown under run 1" in shown
    assert "report" not in mltrace.show("impact", "clean.csv", "--depth", "1")


@pytest.mark.usefixtures("shared")
def test_lineage_is_shown_by_component(mltrace: Mltrace) -> None:
    impact = mltrace.show("impact", "clean.csv", "--by-component").splitlines()
    trace = mltrace.show("trace", "model", "--by-component")

    assert impact[0] == "clean.csv  last written by run 1, 3 other components downstream"
    assert [line.split() for line in impact[2:6]] == [
        ["0", "cleaning", "1", "-"],
        ["1", "features", "1", "cleaning"],
        ["1", "training", "1", "cleaning,", "features"],
        ["2", "report", "1", "training"],
    ]
    assert "features read from cleaning had been changed outside" in trace
