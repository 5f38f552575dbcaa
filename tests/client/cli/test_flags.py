import getpass
import json
from collections.abc import Callable

import pytest
from builders import make_run, make_test, read, wrote
from calling import Mltrace

Record = Callable[..., None]


@pytest.fixture(autouse=True)
def outputs(record: Record) -> list[str]:
    names = [f"p/{number} of $9" for number in range(20)]
    record(
        make_run("training", io=[wrote("model")], tests=[make_test("testFit", "fail")]),
        make_run("inference", start=5, io=[read("model"), *(wrote(name) for name in names)]),
    )
    return names


def test_flagged_outputs_are_told_with_what_to_do_next(
    mltrace: Mltrace, outputs: list[str]
) -> None:
    first = mltrace.show("flag", *outputs[:2], "--reason", "all negative")
    again = mltrace.show("flag", *outputs[:3])
    [flag, *_] = json.loads(mltrace.show("review", "--json"))["flags"][::-1]

    assert first.startswith("Flagged (2)\n  p/0 of $9\n  p/1 of $9\n")
    assert "mltrace review" in first
    assert again.startswith("Flagged (1)\n  p/2 of $9\nAlready flagged (2)\n")
    assert (flag["reason"], flag["flagged_by"]) == ("all negative", getpass.getuser())


def test_names_are_read_from_standard_input(mltrace: Mltrace, outputs: list[str]) -> None:
    flagged = mltrace("flag", "-", "--json", stdin="\r\n".join([*outputs[:15], "", outputs[0]]))
    resolved = mltrace("unflag", "-", "--json", stdin="\n".join(outputs[:5]))

    assert len(json.loads(flagged.stdout)["changed"]) == 15
    assert len(json.loads(resolved.stdout)["changed"]) == 5


def test_unflagged_outputs_are_told(mltrace: Mltrace, outputs: list[str]) -> None:
    mltrace.show("flag", *outputs)

    assert mltrace.show("unflag", outputs[0]) == "Unflagged (1)\n  p/0 of $9\n"
    assert mltrace.show("unflag", outputs[0]) == "Not flagged before (1)\n  p/0 of $9\n"
    assert mltrace.show("unflag", "--all").endswith("  and 9 more\n")
    assert mltrace.show("unflag", "--all") == "No output was flagged.\n"


def test_the_review_ranks_runs_and_says_what_to_type_next(
    mltrace: Mltrace, outputs: list[str]
) -> None:
    mltrace.show("flag", "model")
    mltrace.show("flag", outputs[0], "--reason", "bad")

    shown = mltrace.show("review", COLUMNS="120")

    assert shown.startswith("2 flagged outputs\n")
    first, second = (line.rstrip() for line in shown.splitlines() if ". " in line[:5])
    assert first.lstrip().startswith("1. training (run 1)")
    assert first.endswith("ok · tests failed · fresh")
    assert second.lstrip().startswith("2. inference (run 2)")
    assert "coverage 100.00% (2 of 2 flagged outputs, 19 unflagged) · suspicion" in shown
    assert "coverage 50.00% (1 of 2 flagged outputs" in shown
    assert "RangeTest.testFit failed" in shown
    assert "mltrace inspect 1" in shown
    assert "mltrace trace 'p/0 of $9'" in shown


def test_the_review_keeps_to_its_limit_and_sort(mltrace: Mltrace, outputs: list[str]) -> None:
    mltrace.show("flag", *outputs[:12])

    shown = mltrace.show("review", "--limit", "1", "--sort", "suspicion")

    assert "by suspicion" in shown
    assert "  1. " in shown
    assert "  2. " not in shown
    assert "and 2 more" in shown
