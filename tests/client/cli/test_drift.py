import random
from collections.abc import Callable

from builders import make_profile, make_run, read, wrote
from calling import Mltrace
from summarising import make_categorical, make_numeric

from mltrace_exporter.model import VariableProfile

Record = Callable[..., None]


def hold(seed: int, factor: float = 1) -> tuple[VariableProfile, ...]:
    rng = random.Random(seed)  # noqa: S311 - data
    delays = make_numeric("delay", [factor * rng.gauss(10, 4) for _ in range(400)])
    carriers = make_categorical("carrier", rng.choices(["UA", "AA"], k=400))
    return (make_profile(carriers, delays, variable="flights"),)


def test_what_drifted_is_shown_first_and_said(mltrace: Mltrace, record: Record) -> None:
    record(*(make_run("ingest", start, profiles=hold(start)) for start in range(7)))
    record(make_run("ingest", 8, profiles=hold(8, 60)))

    shown = mltrace.show("drift", "8").splitlines()

    assert shown[0] == "flights of ingest (run 8) drifted"
    assert shown[1] == "400 rows against 2,800 of 7 runs (..., 3, 4, 5, 6, 7)"
    assert shown[2].split() == ["Column", "Kind", "PSI", "KS", "JS", "Verdict"]
    assert shown[3].split()[:2] == ["delay", "numeric"]
    assert shown[3].endswith("drifted")
    assert (shown[4].split()[0], shown[4].split()[-1]) == ("carrier", "-")
    assert any(line.startswith("! delay: median went from 10") for line in map(str.strip, shown))


def test_no_drift_is_said_too(mltrace: Mltrace, record: Record) -> None:
    record(make_run("ingest", 1, profiles=hold(1)), make_run("ingest", 2, profiles=hold(2)))

    shown = mltrace.show("drift", "2", "--reference", "run:1")
    assert shown.startswith("flights of ingest (run 2) no drift\n")
    assert mltrace.show("drift", "1").startswith("Nothing that run 1 profiled can be compared")


def test_whose_the_data_is_and_what_was_built_on_it_is_said(
    mltrace: Mltrace, record: Record
) -> None:
    record(
        make_run("features", 1, io=[wrote("f1")], profiles=hold(1)),
        make_run("train", 3, io=[read("f1"), wrote("model")]),
        make_run("features", 5, io=[wrote("f5")], profiles=hold(5, 60)),
        make_run("predict", 7, io=[read("f5"), read("model")]),
    )

    shown = mltrace.show("drift", "4", "--reference", "built-on").splitlines()

    assert shown[0] == "flights of features (run 3) drifted"
    assert shown[1] == "400 rows against 400 of 1 run (1), which run 2 was built on"


def test_a_reference_that_is_none_is_an_error_of_usage(mltrace: Mltrace, record: Record) -> None:
    record(make_run("ingest", 1))

    done = mltrace("drift", "1", "--reference", "next")
    assert done.returncode == 2
    assert "reference" in done.stderr
