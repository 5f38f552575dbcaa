"""What tests see of a component's earlier runs, and that nobody waits long for it."""

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from builders import make_profile, make_run, make_test
from summarising import make_numeric

from mltrace_exporter.model import MetricValue, Run
from mltrace_otel import Component, Test
from mltrace_otel.questions.past import PastRuns
from mltrace_otel.questions.patience import LIMIT_S

Record = Callable[..., None]
Recorded = Callable[[], list[Run]]


class Remembering(Test):
    """Tells what it can know of earlier runs, twice."""

    def test_one(self, history: PastRuns) -> None:
        self.fail(f"{len(history.runs)} runs")

    def test_two(self, history: PastRuns) -> None:
        self.fail(f"{[each.component for each in history.runs]}")


@Component("daily", beforeTests=[Remembering]).run
def work() -> None:
    """Do nothing."""


def list_found(runs: list[Run]) -> list[tuple[str, str | None]]:
    return [(test.status, test.message) for run in runs for test in run.tests]


@pytest.mark.usefixtures("server")
def test_a_test_sees_the_runs_that_have_ended_newest_first(record: Record) -> None:
    record(*(make_run("daily", minute) for minute in range(5)), make_run("other", 9))

    past = PastRuns("daily")

    assert [run.id for run in past.runs] == sorted((run.id for run in past.runs), reverse=True)
    assert len(past.runs) == 5
    assert [run.component for run in past.of("other").runs] == ["other"]


@pytest.mark.usefixtures("server")
def test_a_test_sees_how_a_variable_was_distributed_newest_first(record: Record) -> None:
    for minute in range(4):
        column = make_numeric("delay", [float(minute)] * (minute + 1))
        told = make_profile(column, variable="flights")
        read = make_profile(make_numeric("raw", [0.0]), variable="flights", direction="input")
        record(make_run("daily", minute, profiles=(told, read)))

    after, before = PastRuns("daily"), PastRuns("daily", "before")

    assert after.row_counts("flights") == [4, 3, 2, 1]
    assert after.row_counts("flights", last=2) == [4, 3]
    assert before.row_counts("flights") == [1, 1, 1, 1]
    (newest, *_) = after.profiles("flights")
    assert (newest.summaries[0].mean, newest.profile.columns[0].count) == (3.0, 4)
    assert after.profiles("nothing") == []
    assert PastRuns("never").profiles("flights") == []


@pytest.mark.usefixtures("server")
def test_a_test_sees_metrics_newest_first(record: Record) -> None:
    for minute, value in enumerate([1.5, math.nan, 2.5]):
        given = (MetricValue("mae", value), MetricValue("mae", -1.0, is_output=True))
        record(make_run("train", minute, metrics=given))

    past = PastRuns("train")

    assert str(past.metrics("mae")) == "[2.5, nan, 1.5]"
    assert past.metrics("mae", last=1) == [2.5]
    assert past.metrics("rmse") == []


@pytest.mark.usefixtures("server")
def test_a_test_sees_how_tests_ended_newest_first(record: Record) -> None:
    for minute, status in enumerate(["pass", "fail", "error"]):
        tests = (make_test("testRange", status, message=f"{minute}"), make_test("testOther"))
        record(make_run("daily", minute, tests=tests))

    past = PastRuns("daily")

    assert [each.status for each in past.outcomes("testRange")] == ["error", "fail", "pass"]
    assert [each.message for each in past.outcomes("RangeTest.testRange", last=2)] == ["2", "1"]
    assert past.outcomes("testNothing") == []
    assert [each.case for each in past.outcomes()] == ["testRange", "testOther"] * 3


@pytest.mark.usefixtures("server")
def test_a_component_that_has_not_run_yet_has_an_empty_past() -> None:
    past = PastRuns("never")

    assert (past.runs, past.outcomes()) == ([], [])


@pytest.mark.usefixtures("server")
def test_a_method_with_a_history_gets_the_past_of_its_component(
    record: Record, recorded: Recorded
) -> None:
    record(make_run("daily"))

    work()

    assert list_found(recorded()) == [("fail", "1 runs"), ("fail", "['daily']")]


def test_without_a_server_a_test_is_skipped_and_says_why(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("MLTRACE_ADDRESS", address)

    work()

    found = list_found(recorded())
    assert {status for status, _ in found} == {"skip"}
    why = f"no history: No mltrace server answers at http://{address} (Connection refused). "
    assert all((message or "").startswith(why) for _, message in found)


def test_settings_that_make_no_sense_skip_a_test(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLTRACE_ADDRESS", "ftp://a")

    work()
    monkeypatch.delenv("MLTRACE_ADDRESS")

    assert list_found(recorded())[0] == (
        "skip",
        "no history: MLTRACE_ADDRESS='ftp://a' is no host, host:port or http(s) URL.",
    )


@contextmanager
def serve_slowly(drops: bytes) -> Iterator[tuple[str, list[float]]]:
    """A server that answers a byte now and then; yields its address, and when it was asked."""
    asked: list[float] = []
    is_over = threading.Event()

    def answer(client: socket.socket) -> None:
        asked.append(time.monotonic())
        with client:
            for drop in drops:
                client.sendall(bytes([drop]))
                if is_over.wait(0.3):
                    return
            is_over.wait()

    def listen() -> None:
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            threading.Thread(target=answer, args=(client,)).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            is_over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize("drops", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n"])
def test_a_slow_server_is_waited_for_once_and_then_left_alone(
    drops: bytes, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_slowly(drops) as (address, asked):
        monkeypatch.setenv("MLTRACE_ADDRESS", address)
        took_s = [measure(work) for _ in range(3)]

    assert LIMIT_S <= took_s[0] < LIMIT_S + 1
    assert max(took_s[1:]) < 0.2
    assert len(asked) == 1
    assert list_found(recorded()) == 6 * [
        (
            "skip",
            f"no history: The server at http://{address} did not answer within 2 s.",
        )
    ]


def measure(step: Callable[[], None]) -> float:
    started_s = time.monotonic()
    step()
    return time.monotonic() - started_s
