"""Records from where they wait to the server. In: a queue. Out: what became of its next batch.

Requests can be joined byte by byte into a valid one, so a batch needs no decoding.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING, Protocol

from mltrace_otel.delivery.answer import Answer, Verdict
from mltrace_otel.delivery.segment import Batch
from mltrace_otel.errors import SettingsError
from mltrace_otel.settings import Settings

if TYPE_CHECKING:
    from mltrace_otel.delivery.transport import Transport

BATCH_LIMIT = 4096

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_LONGEST_ASKED_PAUSE_S = 300.0
_DAMAGED = "damaged on disk"


class Queue(Protocol):
    """Where records wait."""

    def take(self, limit: int) -> Batch | None:
        """Return the oldest records, at most ``limit``; None if nothing waits."""

    def acknowledge(self, batch: Batch) -> None:
        """Forget the batch that was taken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch.

    Attributes:
        answer: what the server said.
        sent: how many records it took.
        rejected: how many will not be sent again.
        reason: why not.
        is_kept: whether those were kept aside.
    """

    answer: Answer
    sent: int = 0
    rejected: int = 0
    reason: str = ""
    is_kept: bool = True

    @property
    def is_settled(self) -> bool:
        """Whether the batch needs not be sent again."""
        return self.answer.verdict in {Verdict.DELIVERED, Verdict.REFUSED}


class Courier:
    """Sends batches to the endpoint that the settings name.

    Args:
        read_settings: returns them; asked before each request, so that they may change.
        set_aside: keeps what the server refuses, with the reason.
    """

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        set_aside: Callable[[Iterable[bytes], str], None],
    ) -> None:
        self.connecting = threading.Lock()
        self._read_settings = read_settings
        self._set_aside = set_aside
        self._limit = BATCH_LIMIT
        self._settings: Settings | None = None
        self._transport: Transport | None = None

    @property
    def endpoint(self) -> str:
        """Where the last request went, for people."""
        return self._settings.endpoint if self._settings else "the endpoint"

    def step(self, queue: Queue) -> Outcome | None:
        """Send the next batch of a queue; None if nothing waits."""
        while batch := queue.take(self._limit):
            answer = self._post(batch.records)
            if not (outcome := Outcome(answer)).is_settled:
                return outcome
            if answer.verdict is Verdict.REFUSED and len(batch.records) > 1:
                self._limit = len(batch.records) // 2  # by halves, to lose only what is refused
                continue
            self._limit = min(self._limit * 2, BATCH_LIMIT)
            outcome = self._settle(batch, answer)
            with suppress(OSError):  # if this is not noted it is sent again, which changes nothing
                queue.acknowledge(batch)
            return outcome
        return None

    def close(self) -> None:
        """Let go of connections."""
        if self._transport:
            self._transport.close()

    def _post(self, records: list[bytes]) -> Answer:
        if not records:  # there was only damage
            return Answer(Verdict.DELIVERED)
        try:
            return self._connect().post(b"".join(records))
        except Exception as error:  # noqa: BLE001 - who sends must outlive whatever a server does
            words = str(error) if isinstance(error, SettingsError) else f"{error!r}"
            return Answer(Verdict.BLOCKED, words)

    def _connect(self) -> "Transport":
        settings = self._read_settings()
        if self._transport is None or settings != self._settings:
            # Modules are imported here: a fork meanwhile would leave their locks held in the child.
            with self.connecting:
                # Heavy, and most of a program's start need not wait for it.
                from mltrace_otel.delivery.transport import open_transport  # noqa: PLC0415

                self.close()
                self._transport, self._settings = open_transport(settings), settings
        return self._transport

    def _settle(self, batch: Batch, answer: Answer) -> Outcome:
        """Set aside what will not be sent again."""
        count = len(batch.records)
        is_kept = not batch.damaged or self._keep(batch.damaged, _DAMAGED)
        if answer.verdict is Verdict.REFUSED:
            is_kept &= self._keep(batch.records, answer.message)
            return Outcome(answer, 0, count + len(batch.damaged), answer.message, is_kept)
        if answer.message:  # it does not say which: better too many than none
            self._keep(batch.records, f"of {count} sent together: {answer.message}")
        return Outcome(answer, count, len(batch.damaged), _DAMAGED, is_kept)

    def _keep(self, records: list[bytes], reason: str) -> bool:
        try:
            self._set_aside(records, reason)
        except OSError:
            return False
        return True


def deliver_left(adopt: Callable[[], Queue | None], courier: Courier) -> Iterator[Outcome]:
    """Send what dead processes left, and yield what became of each batch.

    Args:
        adopt: returns what one of them left, as long as something waits in it, then the next.
        courier: sends.
    """
    while queue := adopt():
        while outcome := courier.step(queue):
            yield outcome


class Patience:
    """Pauses between tries that fail: longer each time, and as long as the server asks."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S

    def wait(self, answer: Answer, hurry: threading.Event) -> None:
        """Wait before the next try; shortly, once there is hurry."""
        if hurry.is_set():
            sleep(_FIRST_PAUSE_S)
            return
        asked_s = min(answer.retry_after_s or 0.0, _LONGEST_ASKED_PAUSE_S)
        hurry.wait(max(asked_s, self._pause_s))
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
