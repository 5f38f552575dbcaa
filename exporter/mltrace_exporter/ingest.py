"""Requests in, commits out: the one way by which runs enter, whichever door they came through.

Concurrent requests share a commit. A request is answered after the transaction that holds its runs
is committed; what cannot be stored now is refused with a retryable error, so the sender keeps it.
Nothing stays in memory past the answer.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
import sqlalchemy as sa

from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.errors import ExporterError, MalformedRequest, Unavailable
from mltrace_exporter.model import Batch, join_batches
from mltrace_exporter.store.write import Written, write_batch

_log = logging.getLogger(__name__)

# What sending the same again cannot mend.
_REFUSED = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.errors.ProgramLimitExceeded,
)

# What two exporters on one database get when they store the same at the same time.
_CONFLICTS = (psycopg2.errors.UniqueViolation, psycopg2.errors.DeadlockDetected)

_GROUP_LIMIT_SPANS = 4096
_CONFLICT_TRIES = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request's spans: stored, stored before, or no component run at all."""

    stored: int
    duplicate: int
    ignored: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    size_bytes: int
    done: Future[Written]


class Ingest:
    """Stores requests. All methods may be called from any thread.

    Args:
        engine: the database.
        pending_limit_bytes: requests over this total that wait for a commit are refused.
    """

    def __init__(self, engine: sa.Engine, pending_limit_bytes: int = 256 * 1024 * 1024) -> None:
        self._engine = engine
        self._pending_limit_bytes = pending_limit_bytes
        self._pending_bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="mltrace-writer", daemon=True)
        self._writer.start()

    def accept(self, body: bytes, encoding: Encoding) -> Outcome:
        """Store the component runs of one OTLP trace request and return after the commit.

        Args:
            body: ``ExportTraceServiceRequest``, not compressed.
            encoding: of the body.

        Raises:
            MalformedRequest: the body cannot be read, or the database refuses what it says.
            Unavailable: too much is waiting, or the database is away; nothing was stored.
        """
        batch = decode_request(body, encoding)
        if not len(batch):
            return Outcome(0, 0, batch.ignored)
        written = self._enqueue(batch, len(body)).result()
        return Outcome(written.stored, written.duplicate, batch.ignored)

    def close(self) -> None:
        """Store what was accepted, then stop. Later requests are refused."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._writer.join()

    def _enqueue(self, batch: Batch, size_bytes: int) -> Future[Written]:
        waiting = _Waiting(batch, size_bytes, Future())
        with self._changed:
            if self._closed:
                raise Unavailable("The exporter is stopping.")
            # An oversized request passes when it is alone: it must not be refused for ever.
            if self._pending_bytes and self._pending_bytes + size_bytes > self._pending_limit_bytes:
                raise Unavailable("Too many requests are waiting for the database.")
            self._pending_bytes += size_bytes
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting.done

    def _write(self) -> None:
        while group := self._take_group():
            try:
                _answer(group, self._commit(group))
            except Exception as error:  # noqa: BLE001 - the writer outlives whatever a request holds
                self._part(group, error)
            finally:
                self._release(group)

    def _take_group(self) -> list[_Waiting]:
        """Wait for requests and return as many as share one commit; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            group, count = [], 0
            while self._waiting and count < _GROUP_LIMIT_SPANS:
                group.append(self._waiting.popleft())
                count += len(group[-1].batch)
            return group

    def _release(self, group: Sequence[_Waiting]) -> None:
        with self._changed:
            self._pending_bytes -= sum(waiting.size_bytes for waiting in group)

    def _commit(self, group: Sequence[_Waiting]) -> Written:
        batch = join_batches(waiting.batch for waiting in group)
        for _ in range(_CONFLICT_TRIES - 1):
            try:
                return self._commit_once(batch)
            except (sa.exc.DBAPIError, psycopg2.Error) as error:
                if not isinstance(_find_cause(error), _CONFLICTS):
                    raise
                _log.info("another exporter was storing the same meanwhile: trying again")
        return self._commit_once(batch)

    def _commit_once(self, batch: Batch) -> Written:
        with self._engine.begin() as connection:
            return write_batch(connection, batch)

    def _part(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Give every request of a failed group its own try, so that one cannot spoil the others."""
        for waiting in group:
            if len(group) == 1 or isinstance(_find_cause(error), psycopg2.OperationalError):
                waiting.done.set_exception(_name_failure(error))
            else:
                self._commit_alone(waiting)

    def _commit_alone(self, waiting: _Waiting) -> None:
        try:
            waiting.done.set_result(self._commit([waiting]))
        except Exception as error:  # noqa: BLE001 - as above
            waiting.done.set_exception(_name_failure(error))


def _answer(group: Sequence[_Waiting], written: Written) -> None:
    """Tell each request which of its runs were new; of equal ones the first counts."""
    new = set(written.new)
    for waiting in group:
        mine = new & {run.id for run in waiting.batch.runs}
        new -= mine
        waiting.done.set_result(Written(frozenset(mine), len(waiting.batch.runs) - len(mine)))


def _find_cause(error: Exception) -> BaseException:
    return (error.orig or error) if isinstance(error, sa.exc.DBAPIError) else error


def _name_failure(error: Exception) -> ExporterError:
    cause = _find_cause(error)
    if isinstance(cause, _REFUSED):
        message = " ".join(str(cause).split())
        _log.error("the database refused a request for good: %s", message)
        return MalformedRequest(f"The database refused the request: {message}")
    if isinstance(cause, psycopg2.Error | sa.exc.SQLAlchemyError):
        _log.warning("the database could not store a request: %s", " ".join(str(cause).split()))
    else:
        _log.error("a request could not be stored", exc_info=error)
    return Unavailable("The database is away or busy.", retry_after_s=2)
