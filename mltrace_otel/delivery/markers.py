"""Signs of life of runs that last. In: runs that begin and end. Out: markers to the sender.

When a run has lasted `FIRST_AFTER_S`, a thread sends that it is running, and again every
`REPEAT_AFTER_S`. Each time it also lays down on disk that the run was aborted, which whoever finds
the dead process's files sends, and which is deleted when the run ends. Short runs cost nothing of
this: they come and go between two looks of the thread.
"""

import os
import threading
from collections.abc import Callable
from time import monotonic

from opentelemetry.trace import Span

from mltrace_otel.delivery.sender import SENDER
from mltrace_otel.notices import log

FIRST_AFTER_S = 2.0
REPEAT_AFTER_S = 300.0

Make = Callable[[str, float], bytes]


class _Watched:
    """A run that has not ended."""

    __slots__ = ("began_at", "due_at", "is_marked", "make")

    def __init__(self, make: Make, first_after_s: float) -> None:
        self.make = make
        self.began_at = monotonic()
        self.due_at = self.began_at + first_after_s
        self.is_marked = False


class Markers:
    """Watches the runs of this process.

    Args:
        first_after_s: how long a run lasts before it is marked, in seconds.
        repeat_after_s: how long until it is marked again.
    """

    def __init__(
        self, first_after_s: float = FIRST_AFTER_S, repeat_after_s: float = REPEAT_AFTER_S
    ) -> None:
        self._first_after_s = first_after_s
        self._repeat_after_s = repeat_after_s
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Begin with no run: those that a forked child inherits are its parent's."""
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.RLock()
        self._awake = threading.Event()
        self._is_asleep = False
        self._thread: threading.Thread | None = None

    def begin(self, span: Span, make: Make) -> None:
        """Watch a run.

        Args:
            span: its span.
            make: makes a marker of a state and the seconds since the run began.
        """
        self._watched[span.get_span_context().span_id] = _Watched(make, self._first_after_s)
        if self._thread is None:
            self._start()
        elif self._is_asleep:
            self._awake.set()

    def end(self, span: Span) -> None:
        """Watch a run no more. Its final record was handed to the sender."""
        span_id = span.get_span_context().span_id
        watched = self._watched.pop(span_id, None)
        if watched and watched.is_marked:
            with self._lock:  # not while it is laid down
                SENDER.forget(_encode(span_id))

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="mltrace-markers", daemon=True)
        self._thread = thread
        try:
            SENDER.start()
            thread.start()
        except RuntimeError:  # too late in the program's life, or too many threads
            self._thread = None

    def _run(self) -> None:
        while True:
            now = monotonic()
            runs = self._watched.copy()
            for span_id, watched in runs.items():
                if watched.due_at <= now:
                    self._mark(span_id, watched)
            self._wait(min((run.due_at for run in runs.values()), default=None))

    def _wait(self, next_at: float | None) -> None:
        """Wait until a run is due; a run that begins meanwhile is due no sooner than that."""
        now = monotonic()
        if next_at is not None:
            # A run of which the thread does not know yet may be due before one that it knows.
            self._awake.wait(max(0.0, min(next_at - now, self._first_after_s)))
        elif not self._awake.wait(self._first_after_s) and not self._watched:
            self._is_asleep = True
            if not self._watched:
                self._awake.wait()
            self._is_asleep = False
        self._awake.clear()

    def _mark(self, span_id: int, watched: _Watched) -> None:
        """Send that a run is running, and lay down that it was aborted."""
        now = monotonic()
        watched.due_at = now + self._repeat_after_s
        alive_s = now - watched.began_at
        try:
            running, aborted = (watched.make(state, alive_s) for state in ("running", "aborted"))
            with self._lock:
                watched.is_marked = True
                if span_id in self._watched:  # else it has ended meanwhile
                    SENDER.submit(running)
                    SENDER.keep(_encode(span_id), aborted)
        except Exception:  # noqa: BLE001 - what a run holds is the user's, and may be broken
            log.debug("A run that lasts cannot be shown before its end:", exc_info=True)


def _encode(span_id: int) -> bytes:
    return span_id.to_bytes(8)


MARKERS = Markers()
