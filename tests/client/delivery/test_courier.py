"""Batches shrink to what a server takes; what it refuses is set aside, and the others arrive."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from receiving import Receiver, Reply

from mltrace_otel.delivery.answer import Verdict
from mltrace_otel.delivery.courier import Courier, Queue, deliver_left
from mltrace_otel.delivery.memory import Memory
from mltrace_otel.delivery.segment import Segment
from mltrace_otel.settings import read_settings

Aside = list[tuple[list[bytes], str]]


@pytest.fixture
def aside() -> Aside:
    """What was set aside, with the reasons."""
    return []


@pytest.fixture
def courier(aside: Aside) -> Iterator[Courier]:
    def keep(records: Iterable[bytes], reason: str) -> None:
        aside.append((list(records), reason))

    courier = Courier(read_settings, keep)
    yield courier
    courier.close()


def drain(courier: Courier, queue: Queue) -> tuple[int, int]:
    """Return how many records were sent and how many rejected."""
    sent = rejected = 0
    while outcome := courier.step(queue):
        assert outcome.is_settled
        sent += outcome.sent
        rejected += outcome.rejected
    return sent, rejected


def encode(number: int) -> bytes:
    """Return a request that holds one span of this name."""
    name = b"%04d" % number
    return b"\x0a\x0a\x12\x08\x12\x06\x2a\x04" + name


def fill(queue: Memory, count: int) -> None:
    for number in range(count):
        queue.append(encode(number))


def test_everything_goes_in_few_requests(courier: Courier, receiver: Receiver) -> None:
    memory = Memory()
    fill(memory, 10_000)

    assert drain(courier, memory) == (10_000, 0)

    assert len(receiver.accepted) == 3
    assert [span.name for span in receiver.spans()] == [f"{n:04}" for n in range(10_000)]


def test_only_what_is_refused_is_set_aside(
    courier: Courier, receiver: Receiver, aside: Aside
) -> None:
    receiver.refuses = lambda body: b"0013" in body or b"0700" in body
    memory = Memory()
    fill(memory, 1000)

    assert drain(courier, memory) == (998, 2)

    assert aside == [([encode(n)], "HTTP 400: this run is bad") for n in (13, 700)]
    assert len(receiver.spans()) == 998
    assert len(receiver.headers) < 80


def test_a_request_that_was_taken_in_part_is_not_repeated_but_kept(
    courier: Courier, receiver: Receiver, aside: Aside
) -> None:
    receiver.replies = deque([Reply(200, b"\x0a\x0a\x08\x01\x12\x06no tag")])
    memory = Memory()
    fill(memory, 2)

    assert drain(courier, memory) == (2, 0)

    assert len(receiver.headers) == 1
    assert aside == [([encode(0), encode(1)], "of 2 sent together: 1 refused: no tag")]


def test_what_is_damaged_on_disk_is_set_aside_and_the_others_arrive(
    courier: Courier, receiver: Receiver, aside: Aside, tmp_path: Path
) -> None:
    segment = Segment.create(tmp_path, ".runs")
    for number in range(100):
        segment.append(encode(number))
    segment.close()
    content = segment.path.read_bytes()
    segment.path.write_bytes(content.replace(b"0050", b"oops"))
    adopted = Segment.adopt(segment.path)
    assert adopted

    assert drain(courier, adopted) == (99, 1)

    assert [span.name for span in receiver.spans()] == [f"{n:04}" for n in range(100) if n != 50]
    ((damaged,), reason) = aside[0]
    assert b"oops" in damaged
    assert reason == "damaged on disk"


def test_a_disk_that_takes_nothing_more_does_not_stop_the_others(receiver: Receiver) -> None:
    def refuse(_records: Iterable[bytes], _reason: str) -> None:
        raise OSError("no space left")

    receiver.refuses = lambda body: b"0001" in body
    memory = Memory()
    fill(memory, 4)
    courier = Courier(read_settings, refuse)
    outcomes = list(iter(lambda: courier.step(memory), None))
    courier.close()

    assert [outcome.is_kept for outcome in outcomes if outcome.rejected] == [False]
    assert len(receiver.spans()) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("PROTOCOL", "pigeon"), ("CERTIFICATE", "/nowhere/ca.pem"), ("HEADERS", "no pair")],
)
def test_settings_that_lead_nowhere_keep_runs_waiting(
    courier: Courier, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:9")
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    memory = Memory()
    fill(memory, 1)

    outcome = courier.step(memory)

    assert outcome
    assert outcome.answer.verdict is Verdict.BLOCKED
    assert memory.waiting == 1


def test_what_several_left_is_sent_one_after_the_other(
    courier: Courier, receiver: Receiver
) -> None:
    left = [Memory(), Memory(), Memory()]
    for queue, count in zip(left, (3, 0, 5), strict=True):
        fill(queue, count)

    def adopt() -> Memory | None:
        return next((queue for queue in left if queue.waiting), None)

    assert [outcome.sent for outcome in deliver_left(adopt, courier)] == [3, 5]
    assert len(receiver.spans()) == 8
