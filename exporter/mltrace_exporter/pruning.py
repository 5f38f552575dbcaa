"""Retention while the server runs: limits come in, old runs go, once an hour.

Without any limit on runs, what goes is pointers whose run has not come within ``PARTS_WAIT``.

Of several servers on one database one prunes at a time, told by an advisory lock.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from mltrace_exporter.settings import Retention
from mltrace_exporter.store.upkeep.retention import Limits, prune

INTERVAL_S = 3600.0
PARTS_WAIT = timedelta(days=30)
# Any number will do that nothing else locks, as long as every exporter asks for the same one.
_PRUNE_LOCK = 0x6D6C7471
_log = logging.getLogger(__name__)


class Pruner:
    """Prunes in a thread of its own until it is closed, the first time at once."""

    def __init__(
        self, engine: sa.Engine, retention: Retention, interval_s: float = INTERVAL_S
    ) -> None:
        self._engine = engine
        self._retention = retention
        self._interval_s = interval_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prune", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the transaction that is being made."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                prune_alone(self._engine, self._retention, self._stop_if_closing)
            except _Closing:
                return
            except sa.exc.SQLAlchemyError as error:
                _log.warning(
                    "Old runs were not deleted: %s",
                    " ".join(str(getattr(error, "orig", error)).split()),
                )
            self._closing.wait(self._interval_s)

    def _stop_if_closing(self, _count: int) -> None:
        if self._closing.is_set():
            raise _Closing


def prune_alone(
    engine: sa.Engine, retention: Retention, report: Callable[[int], None] = lambda _: None
) -> int | None:
    """Prune as `store.retention.prune` does; return None if somebody else is at it."""
    with engine.connect() as holder:
        if not holder.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_PRUNE_LOCK))):
            return None
        return prune(engine, limit_at(datetime.now(UTC), retention), report)


def limit_at(now: datetime, retention: Retention) -> Limits:
    """Return which runs may go at ``now``."""
    before = None if retention.days is None else now - timedelta(days=retention.days)
    return Limits(before, retention.runs_per_component, now - PARTS_WAIT)


class _Closing(Exception):  # noqa: N818 - says what happens
    """The server stops."""
