"""Fixtures of the client's tests: a receiver that the program's runs go to."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from receiving import Receiver, receive_grpc, receive_http

from mltrace_exporter.model import Run
from mltrace_otel import flush

Recorded = Callable[[], list[Run]]

# No deadline: where others work too, one example may take long.
settings.register_profile("client", deadline=None, max_examples=60)
settings.load_profile("client")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A server that this process sends its runs to."""
    with receive_http() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver
        assert flush(60), "a test left runs that nobody takes"


@pytest.fixture
def grpc_receiver() -> Iterator[Receiver]:
    """A server that speaks gRPC."""
    with receive_grpc() as receiver:
        yield receiver


@pytest.fixture
def recorded(receiver: Receiver) -> Recorded:
    """Return what was recorded, in the order in which runs ended."""

    def read() -> list[Run]:
        assert flush(60), "the receiver did not take the runs"
        return receiver.runs()

    return read
