"""A run that lasts is seen before its end; a quick one leaves no trace but itself."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from receiving import Receiver, receive_http, run_program
from services import await_value

from mltrace_exporter.model import Run
from mltrace_otel import Component, flush
from mltrace_otel.contract import attributes as key
from mltrace_otel.delivery.kept import read_kept
from mltrace_otel.delivery.markers import Markers
from mltrace_otel.delivery.segment import Segment
from mltrace_otel.delivery.sender import SENDER
from mltrace_otel.telemetry.spans import RunSpan


def read(span: Span, name: str) -> str:
    return next((each.value.string_value for each in span.attributes if each.key == name), "")


def list_markers(receiver: Receiver) -> list[Span]:
    return [span for span in receiver.spans() if read(span, key.RECORD) == "start"]


def is_kept(span_id: bytes) -> bool:
    """Return whether this process laid down that a run was aborted."""
    assert SENDER._spool
    peeked = filter(None, map(Segment.peek, SENDER._spool.folder.glob("*.kept")))
    return any(span_id in record for segment, _ in peeked for record in read_kept(segment))


def test_a_run_that_lasts_is_announced_with_what_it_read(receiver: Receiver) -> None:
    kept: list[bool] = []

    @Component("train", owner="ada").run(input_vars=["data"], output_vars=["model"])
    def train(data: str) -> str:
        marker = await_value(lambda: list_markers(receiver), "the marker")[0]
        kept.append(is_kept(marker.parent_span_id))
        assert read(marker, key.COMPONENT_OWNER) == "ada"
        assert read(marker, key.RUN_STATE) == "running"
        assert [read(link, key.IO_NAME) for link in marker.links] == [data]  # type: ignore[arg-type] # has attributes, too
        model = "model.bin"
        return model  # noqa: RET504 - it is recorded

    train("raw.csv")

    assert flush(10)
    marker, final = receiver.spans()
    assert marker.parent_span_id == final.span_id
    assert marker.start_time_unix_nano == final.start_time_unix_nano
    assert kept == [True], "its abortion is laid down"
    assert not is_kept(final.span_id), "and forgotten at its end"


def test_quick_runs_are_not_announced(
    recorded: Callable[[], list[Run]], receiver: Receiver
) -> None:
    @Component("quick").run
    def work() -> None:
        """Do nothing."""

    for _ in range(100):
        work()

    assert len(recorded()) == 100
    assert list_markers(receiver) == []


def test_a_run_is_heard_of_again_and_again_until_it_ends(receiver: Receiver) -> None:
    markers = Markers(first_after_s=0.05, repeat_after_s=0.1)
    made: list[tuple[str, float]] = []
    span = RunSpan("long")

    def make(state: str, alive_s: float) -> bytes:
        made.append((state, alive_s))
        return b""

    markers.begin(span, make)
    await_value(lambda: len(made) >= 6, "the third marker")
    markers.end(span)
    states = [state for state, _ in made]
    ages_s = [age_s for state, age_s in made if state == "running"]
    count = len(made)
    other = RunSpan("other")
    markers.begin(other, make)
    await_value(lambda: len(made) > count, "a marker of another run")
    markers.end(other)

    assert states[:4] == ["running", "aborted"] * 2
    assert ages_s == sorted(ages_s)
    assert ages_s[0] >= 0.05
    assert made[count][1] < ages_s[-1], "only the other run was heard of"
    assert flush(10)
    assert receiver.spans() == []


def test_a_run_that_cannot_be_described_is_left_alone(receiver: Receiver) -> None:
    markers = Markers(first_after_s=0.05)
    tried: list[str] = []
    made: list[str] = []

    def fail(state: str, _alive_s: float) -> bytes:
        tried.append(state)
        raise RuntimeError("a broken __repr__")

    def make(state: str, _alive_s: float) -> bytes:
        made.append(state)
        return b""

    first, second = RunSpan("first"), RunSpan("second")
    markers.begin(first, fail)
    markers.begin(second, make)
    await_value(lambda: len(made) == 2, "the marker of the other")
    assert tried == ["running"]
    markers.end(first)
    markers.end(second)

    assert flush(10)
    assert receiver.spans() == []


LONG = """
    import os, time
    import mltrace_otel

    @mltrace_otel.Component("long").run(input_vars=["data"])
    def work(data):
        %s

    work("raw.csv")
"""


def test_a_run_that_was_killed_is_told_as_aborted_by_the_next_program(home: Path) -> None:
    variables = {"MLTRACE_HOME": str(home)}
    with receive_http() as receiver:
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        die = "time.sleep(3); os.kill(os.getpid(), 9)"
        assert run_program(home, LONG % die, **variables).status == -signal.SIGKILL
        assert [read(span, key.RUN_STATE) for span in receiver.spans()] == ["running"]

        assert run_program(home, LONG % "time.sleep(1)", **variables).status == 0

        states = [read(span, key.RUN_STATE) for span in receiver.spans()]
    assert sorted(states) == ["", "aborted", "running"]
    assert [path for path in (home / "spool").iterdir() if path.suffix == ".kept"] == []


@pytest.mark.parametrize("seconds", [1, 3])
def test_a_child_forked_in_a_run_announces_nothing_of_its_parents(home: Path, seconds: int) -> None:
    body = f"""
        if os.fork() == 0:
            time.sleep({seconds})
            os._exit(0)
        os.wait()
    """
    with receive_http() as receiver:
        ended = run_program(
            home,
            LONG % body.strip(),
            MLTRACE_HOME=str(home),
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        )
        spans = receiver.spans()
    assert (ended.status, ended.stderr) == (0, "")
    assert len(spans) == (1 if seconds == 1 else 2)


def test_to_watch_a_run_costs_little() -> None:
    markers = Markers()
    spans = [RunSpan("quick") for _ in range(1000)]

    def watch_all() -> float:
        began_s = time.perf_counter()
        for span in spans:
            markers.begin(span, lambda _state, _alive_s: b"")
            markers.end(span)
        return time.perf_counter() - began_s

    assert min(watch_all() for _ in range(10)) / len(spans) < 5e-6
