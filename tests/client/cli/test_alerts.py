"""What a person sees who asks what fires."""

import json
from collections.abc import Callable

from builders import make_run, make_test
from calling import Mltrace

from mltrace_exporter.model import Words

Record = Callable[..., None]


def test_nothing_fires_where_all_is_well(mltrace: Mltrace, record: Record) -> None:
    record(make_run("etl", tests=(make_test(),)))

    assert mltrace.show("alerts") == "No alert fires.\n"


def test_what_fires_is_told_with_what_to_do_the_worst_first(
    mltrace: Mltrace, record: Record
) -> None:
    record(
        make_run("etl", tests=(make_test("testRange", "fail"),)),
        make_run("train", execution="error", words=Words("bert", None, ())),
    )

    shown = mltrace.show("alerts")

    assert shown.startswith("2 alerts (1 critical, 1 warning)\n\nThe last run of train failed\n")
    assert "\nTest testRange of etl failed\n  warning · since " in shown
    assert "owner plumber" in shown
    assert "/runbooks/MltraceTestFailed" in shown
    assert shown.rstrip().endswith("\n  mltrace history train")


def test_only_alerts_of_an_owner_are_shown(mltrace: Mltrace, record: Record) -> None:
    record(
        make_run("etl", execution="error"),
        make_run("train", execution="error", words=Words("bert", None, ())),
    )

    [alert] = json.loads(mltrace.show("alerts", "--owner=bert", "--json"))

    assert (alert["name"], alert["severity"], alert["component"], alert["owner"]) == (
        "MltraceRunFailed",
        "critical",
        "train",
        "bert",
    )
    assert alert["panel_path"] == "/component?name=train"


def test_names_cannot_write_over_the_terminal(mltrace: Mltrace, record: Record) -> None:
    record(make_run("\x1b[2Jetl\r", execution="error"))

    assert "\x1b" not in mltrace.show("alerts")
