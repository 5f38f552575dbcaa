"""Reads the store now and then, in a thread of its own; everything asked is answered from memory.

However many ask, the store is read once in an interval. If it cannot be read, what it said before
is still answered, and the error is counted.
"""

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from mltrace_exporter.monitoring.budget import fit_series
from mltrace_exporter.monitoring.drifts import Drifts
from mltrace_exporter.monitoring.exposition import Exposition
from mltrace_exporter.monitoring.links import NO_LINKS, Links
from mltrace_exporter.monitoring.reading import Habits, read_habits, read_snapshot
from mltrace_exporter.monitoring.snapshot import Snapshot
from mltrace_exporter.settings import DEFAULT_METRICS_INTERVAL_S, DEFAULT_SERIES_LIMIT
from mltrace_exporter.store.database import open_snapshot

_HABITS_EVERY = 20
"""Of how many intervals habits hold."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the store, and how reading it went.

    Attributes:
        snapshot: what it said last.
        exposition: the same, as it is served.
        duration_s: how long it took to read and write that.
        errors: how often it could not be read.
        dropped: series for which there was no room, over all times it was read.
    """

    snapshot: Snapshot
    exposition: Exposition
    duration_s: float = 0.0
    errors: int = 0
    dropped: int = 0

    @property
    def is_known(self) -> bool:
        """True if somebody has tried to read it."""
        return bool(self.snapshot.taken_s or self.errors)


class Poller:
    """Knows what the store said last. All methods may be called from any thread.

    Attributes:
        series_limit: how many series there may be.
        links: where people find more.

    Args:
        engine: the database.
        interval_s: from one reading to the next.
        series_limit: how many series there may be.
        links: where people find more.
    """

    def __init__(
        self,
        engine: sa.Engine,
        interval_s: float = DEFAULT_METRICS_INTERVAL_S,
        series_limit: int = DEFAULT_SERIES_LIMIT,
        links: Links = NO_LINKS,
    ) -> None:
        self.links = links
        self.series_limit = series_limit
        self._engine = engine
        self._interval_s = interval_s
        nothing = Snapshot(0.0, {})
        self._state = State(nothing, Exposition(nothing))
        self._habits = Habits()
        self._drifts = Drifts()
        self._habits_until_s = 0.0
        self._reading = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to read, the first time at once, until closed."""
        self._thread = threading.Thread(target=self._run, name="mltrace-poller", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the reading that goes on."""
        self._closing.set()
        if self._thread:
            self._thread.join()

    def tell(self) -> State:
        """Return what is known; if nothing is yet, read it first."""
        if not self._state.is_known:
            with self._reading:
                if not self._state.is_known:
                    self._read()
        return self._state

    def poll(self) -> None:
        """Read the store now."""
        with self._reading:
            self._read()

    def _run(self) -> None:
        while not self._closing.is_set():
            self.poll()
            self._closing.wait(self._interval_s)

    def _read(self) -> None:
        begun, before = time.perf_counter(), self._state
        try:
            snapshot = fit_series(self._ask(), self.series_limit)
        except sa.exc.SQLAlchemyError as error:
            _log.warning("Metrics are not renewed: %s", " ".join(str(error).split()))
            self._state = replace(before, errors=before.errors + 1)
            return
        # Who takes a format once, takes it again soon.
        exposition = Exposition(snapshot, before.exposition.asked)
        duration_s = time.perf_counter() - begun
        dropped = before.dropped + snapshot.folded
        self._state = State(snapshot, exposition, duration_s, before.errors, dropped)

    def _ask(self) -> Snapshot:
        now_s = time.time()
        with open_snapshot(self._engine) as connection:
            # A moment that all exporters on the database come to, so that they agree.
            until_s = now_s - now_s % (_HABITS_EVERY * self._interval_s)
            if until_s > self._habits_until_s:
                until = datetime.fromtimestamp(until_s, UTC)
                self._habits, self._habits_until_s = read_habits(connection, until), until_s
                self._drifts.renew()
            return read_snapshot(connection, self._habits, now_s, self._drifts)
