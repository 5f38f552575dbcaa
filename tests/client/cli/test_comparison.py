import json
from collections.abc import Callable

from builders import make_run, make_test, read
from calling import Mltrace

Record = Callable[..., None]


def record_two(record: Record) -> None:
    for number, status in enumerate(["pass", "fail"]):
        record(
            make_run(
                "training",
                5 * number,
                io=[read("clean.csv", f"xxh3:0{number}")],
                git_hash=f"{number}" * 40,
                attributes={"rate": number / 10},
                tests=(make_test(status=status),),
            )
        )


def test_what_changed_since_the_run_before_is_told_aspect_by_aspect(
    mltrace: Mltrace, record: Record
) -> None:
    record_two(record)

    shown = [line.split(maxsplit=1) for line in mltrace.show("compare", "2").splitlines()]

    told = {line[0]: line[1].strip() for line in shown if len(line) == 2}
    assert told["1"].startswith("training")
    assert told["Code"] == told["Data"] == "not recorded of both"
    assert told["Git"].startswith("commit: 1111")
    assert told["Parameters"] == "rate: 0.1 (before: 0.0)."
    assert told["Inputs"] == "Input clean.csv has another content."
    assert told["Tests"] == "Test RangeTest.testRange: fail (before: pass)."
    assert "mltrace drift 2 --reference run:1" in mltrace.show("compare", "2")


def test_two_runs_are_compared_from_the_first_to_the_second(
    mltrace: Mltrace, record: Record
) -> None:
    record_two(record)

    assert "rate: 0.0 (before: 0.1)." in mltrace.show("compare", "2", "1")
    answer = json.loads(mltrace.show("compare", "1", "2", "--json"))
    assert (answer["before"]["id"], answer["after"]["id"]) == (1, 2)
    assert "rate: 0.1 (before: 0.0)." in answer["sentences"]


def test_a_first_run_has_none_before(mltrace: Mltrace, record: Record) -> None:
    record_two(record)

    done = mltrace("compare", "1")
    assert done.returncode == 1
    assert "Run 1 is the first of its component" in done.stderr
