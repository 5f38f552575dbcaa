"""What happens to arriving runs, told once and with counts, however many requests it happens to.

The first of a kind is logged at once; what follows within ten seconds is counted and told together.
The loss of the database is told once, and its return once, with what was refused meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

PERIOD_S = 10.0

_log = logging.getLogger(__name__)


class Event(StrEnum):
    """What is counted; the value is what the log says before the number."""

    DEAD = "Spans kept as dead letters, which `mltrace db dead-letters` shows"
    POSTPONED = "Requests refused for now, which their senders are asked to send again"
    REJECTED = "Requests refused for good, which sending again cannot help"


@dataclass
class _Count:
    """What is not told yet of an event."""

    untold: int = 0
    reason: str = ""


class Journal:
    """Tells events. All methods may be called from any thread.

    Args:
        period_s: how long events of a kind are counted before they are told.
        clock: seconds that only grow.
    """

    def __init__(
        self, period_s: float = PERIOD_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._period_s = period_s
        self._clock = clock
        self._counts: dict[Event, _Count] = {}
        self._lost_at_s: float | None = None
        self._refused = 0
        self._lock = threading.Lock()

    def count(self, event: Event, reason: str, number: int = 1) -> None:
        """Count that an event happened ``number`` times, lately for this reason."""
        with self._lock:
            if self._lost_at_s is not None and event is Event.POSTPONED:
                self._refused += number
            elif event in self._counts:
                self._counts[event].untold += number
                self._counts[event].reason = reason
            else:
                _tell(event, number, reason)
                self._begin(event)

    def lose_database(self, reason: str) -> None:
        """Say that the database does not store what it is given."""
        with self._lock:
            if self._lost_at_s is None:
                self._lost_at_s, self._refused = self._clock(), 0
                _log.warning(
                    "The database does not store what comes; senders are asked to keep it: %s",
                    " ".join(reason.split()),
                )

    def find_database(self) -> None:
        """Say that the database stored something."""
        if self._lost_at_s is None:  # nearly always; looked at again under the lock
            return
        with self._lock:
            if self._lost_at_s is not None:
                away_s = round(self._clock() - self._lost_at_s, 1)
                self._lost_at_s = None
                _log.warning(
                    "The database is back after %s s; %d requests were refused meanwhile.",
                    away_s,
                    self._refused,
                    extra={"duration_s": away_s, "count": self._refused},
                )

    def close(self) -> None:
        """Tell what is counted and not told."""
        with self._lock:
            for event in list(self._counts):
                self._end(event)

    def _begin(self, event: Event) -> None:
        self._counts[event] = _Count()
        timer = threading.Timer(self._period_s, self._look, [event])
        timer.daemon = True
        timer.start()

    def _look(self, event: Event) -> None:
        """Tell what a period counted; if that is something, count for another."""
        with self._lock:
            if self._end(event):
                self._begin(event)

    def _end(self, event: Event) -> bool:
        count = self._counts.pop(event, _Count())
        if count.untold:
            _tell(event, count.untold, count.reason)
        return bool(count.untold)


def _tell(event: Event, number: int, reason: str) -> None:
    fields = {"event": event.name.lower(), "count": number}
    sentence = " ".join(reason.split())
    _log.warning("%s: %d. The last: %s", event.value, number, sentence, extra=fields)
