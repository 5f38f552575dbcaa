"""Loads an exporter as spools and collectors do: a request is repeated until it succeeds."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from builders import make_run, read, wrote
from otlp import write_protobuf
from scraping import read_sample, scrape
from services import Exporter

PROTOBUF = {"content-type": "application/x-protobuf"}
SENDERS = 4
RUNS_PER_REQUEST = 20
_CHAIN_LIMIT = 1000


@dataclass
class Load:
    """What senders have sent: each a chain of runs of ``step``, one after the other.

    Attributes:
        sent: for each sender how many of its runs were acknowledged.
        refused: how many requests were answered with 503.
    """

    sent: list[int] = field(default_factory=lambda: [0] * SENDERS)
    refused: int = 0

    @property
    def total(self) -> int:
        """The number of acknowledged runs."""
        return sum(self.sent)


def send(
    exporter: Exporter, body: bytes, load: Load | None = None, deadline_s: float = 120
) -> None:
    """Send a request until it is answered with success."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        try:
            answer = httpx.post(
                f"{exporter.otlp_http}/v1/traces", content=body, headers=PROTOBUF, timeout=30
            )
        except httpx.TransportError:
            time.sleep(0.1)
            continue
        if answer.is_success:
            return
        # Anything else would have senders throw their data away.
        assert answer.status_code == 503, answer.text
        if load:
            load.refused += 1
        time.sleep(float(answer.headers["retry-after"]))
    pytest.fail(f"no success within {deadline_s} s")


@contextmanager
def keep_sending(exporter: Exporter) -> Iterator[Load]:
    """Send from several threads until the block ends, and what is then on its way to its end."""
    stop, load = threading.Event(), Load()

    def send_chain(sender: int) -> None:
        while not stop.is_set():
            first = load.sent[sender]
            runs = [
                make_run(
                    "step", number, io=[read(f"{sender}-{number}"), wrote(f"{sender}-{number + 1}")]
                )
                for number in range(first, first + RUNS_PER_REQUEST)
            ]
            send(exporter, write_protobuf(runs), load)
            load.sent[sender] += RUNS_PER_REQUEST

    with ThreadPoolExecutor(SENDERS) as threads:
        senders = [threads.submit(send_chain, number) for number in range(SENDERS)]
        try:
            yield load
        finally:
            stop.set()
        for sender in senders:
            sender.result()


def read_total(exporter: Exporter) -> int:
    """Return how many runs of ``step`` the exporter has counted."""
    name = 'mltrace_component_runs_total{component="step",outcome="succeeded"} '
    return int(read_sample(scrape(exporter.panel), name))


def check_stored_once(exporter: Exporter, load: Load) -> None:
    """Make sure that the exporter has each acknowledged run exactly once."""
    assert load.total > 0
    assert read_total(exporter) == load.total
    for sender, count in enumerate(load.sent):
        depth = min(count, _CHAIN_LIMIT)
        trace = httpx.get(f"{exporter.panel}/api/trace", params={"output": f"{sender}-{depth}"})
        # Each run has exactly one run before it: a doubled or lost one would break the chain.
        assert len(trace.raise_for_status().json()["nodes"]) == depth
