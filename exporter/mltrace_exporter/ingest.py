"""Requests in, commits out: the one way by which runs enter, whichever door they came through.

Concurrent requests share a commit. A request is answered after the transaction that holds its runs
is committed; what cannot be stored now is refused with a retryable error, so the sender keeps it.
Nothing stays in memory past the answer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psycopg2
import psycopg2.errors
import sqlalchemy as sa

from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.errors import ExporterError, Unavailable
from mltrace_exporter.journal import Event, Journal
from mltrace_exporter.model import Batch, DeadLetter, Marker, Run, Said, join_batches, make_batch
from mltrace_exporter.store.arrivals.write import Written, join_written, write_batch
from mltrace_exporter.tally import Tally

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
# While the database stores what some of them gave it, another makes rows of what came next.
_WRITERS = 3
_CONFLICT_TRIES = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request's spans.

    Attributes:
        stored: component runs that were new.
        duplicate: component runs that were stored before.
        ignored: spans that said nothing of component runs.
        dead: spans that could not be stored, and are kept as dead letters.
    """

    stored: int
    duplicate: int
    ignored: int
    dead: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    done: Future[Written]


class Ingest:
    """Stores requests. All methods may be called from any thread.

    Attributes:
        journal: tells what happens to requests.

    Args:
        engine: the database.
        tally: counts what happens; a new one if nothing is said.
        pending_limit_bytes: requests over this total that are read or wait for a commit are
            refused. What a request says takes about five times its bytes.
    """

    def __init__(
        self,
        engine: sa.Engine,
        tally: Tally | None = None,
        pending_limit_bytes: int = 128 * 1024 * 1024,
    ) -> None:
        self._engine = engine
        self._tally = tally or Tally(engine)
        self.journal = Journal()
        self._pending_limit_bytes = pending_limit_bytes
        self._pending_bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._closed = False
        # Several at once would take turns and all be done late, while the database waits.
        self._decoding = threading.Lock()
        self._writers = [
            threading.Thread(target=self._write, name=f"mltrace-writer-{number}", daemon=True)
            for number in range(_WRITERS)
        ]
        for writer in self._writers:
            writer.start()

    def accept(self, body: bytes, encoding: Encoding) -> Outcome:
        """Store what one OTLP trace request says of component runs; return after the commit.

        What of it cannot be stored is kept as dead letters, with the reason.

        Args:
            body: ``ExportTraceServiceRequest``, not compressed.
            encoding: of the body.

        Raises:
            MalformedRequest: the body as a whole cannot be read.
            Unavailable: too much is waiting, or the database is away; nothing was stored.
        """
        self._tally.count_bytes(len(body))
        outcome = self._accept(body, encoding)
        self._tally.count_request("accepted")
        self._tally.count_spans(**asdict(outcome))
        return outcome

    def tell_refusal(self, reason: str, *, is_temporary: bool) -> None:
        """Count and log a request that is answered with an error, whoever found it."""
        self._tally.count_request("refused" if is_temporary else "malformed")
        self.journal.count(Event.POSTPONED if is_temporary else Event.REJECTED, reason)

    def close(self) -> None:
        """Store what was accepted, then stop. Later requests are refused."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for writer in self._writers:
            writer.join()
        self.journal.close()

    def _accept(self, body: bytes, encoding: Encoding) -> Outcome:
        with self._reserve(len(body)):
            with self._decoding:
                batch = decode_request(body, encoding)
            if not len(batch):
                return Outcome(0, 0, batch.ignored)
            written = self._enqueue(batch).result()
        dead = len(batch.dead_letters) + written.refused
        for letter in batch.dead_letters:
            self.journal.count(Event.DEAD, letter.reason)
        return Outcome(written.stored, written.duplicate, batch.ignored, dead)

    @contextmanager
    def _reserve(self, size_bytes: int) -> Iterator[None]:
        """Count a request's bytes as pending, from before it is read until it is committed."""
        with self._changed:
            # An oversized request passes when it is alone: it must not be refused for ever.
            if self._pending_bytes and self._pending_bytes + size_bytes > self._pending_limit_bytes:
                raise Unavailable("Too many requests are waiting for the database.")
            self._pending_bytes += size_bytes
            self._tally.tell_pending(self._pending_bytes)
        try:
            yield
        finally:
            with self._changed:
                self._pending_bytes -= size_bytes
                self._tally.tell_pending(self._pending_bytes)

    def _enqueue(self, batch: Batch) -> Future[Written]:
        waiting = _Waiting(batch, Future())
        with self._changed:
            if self._closed:
                raise Unavailable("The exporter is stopping.")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting.done

    def _write(self) -> None:
        while group := self._take_group():
            try:
                _answer(group, self._commit(join_batches(one.batch for one in group)))
            except Exception as error:  # noqa: BLE001 - the writer outlives whatever a request holds
                self._part(group, error)

    def _take_group(self) -> list[_Waiting]:
        """Wait for requests and return as many as share one commit; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            group, count = [], 0
            while self._waiting and count < _GROUP_LIMIT_SPANS:
                group.append(self._waiting.popleft())
                count += len(group[-1].batch)
            return group

    def _commit(self, batch: Batch) -> Written:
        for _ in range(_CONFLICT_TRIES - 1):
            try:
                return self._commit_once(batch)
            except (sa.exc.DBAPIError, psycopg2.Error) as error:
                if not isinstance(_find_cause(error), _CONFLICTS):
                    raise
                _log.info("another exporter was storing the same meanwhile: trying again")
        return self._commit_once(batch)

    def _commit_once(self, batch: Batch) -> Written:
        begun = time.perf_counter()
        with self._engine.begin() as connection:
            written = write_batch(connection, batch)
        self.journal.find_database()
        self._tally.count_commit(time.perf_counter() - begun, len(batch))
        if batch.runs:
            self._tally.tell_stored(max(run.ended_at for run in batch.runs))
        return written

    def _part(self, group: Sequence[_Waiting], error: Exception) -> None:
        """Give every request of a failed group its own try, so that one cannot spoil the others."""
        for waiting in group:
            if _is_refusal(error) or (len(group) > 1 and not _is_outage(error)):
                self._commit_alone(waiting)
            else:
                waiting.done.set_exception(self._name_failure(error))

    def _commit_alone(self, waiting: _Waiting) -> None:
        try:
            waiting.done.set_result(self._commit_pieces(waiting.batch))
        except Exception as error:  # noqa: BLE001 - as above
            waiting.done.set_exception(self._name_failure(error))

    def _commit_pieces(self, batch: Batch) -> Written:
        """Commit a request; where the database refuses it, halves of it, down to single spans."""
        try:
            return self._commit(batch)
        except (sa.exc.DBAPIError, psycopg2.Error) as error:
            if not _is_refusal(error):
                raise
            said = batch.list_said()
            if len(said) == 1:
                return self._bury(said[0], error)
        middle = len(said) // 2
        halves = (make_batch(said[:middle]), make_batch(said[middle:]))
        return join_written(map(self._commit_pieces, halves))

    def _bury(self, said: Said, error: Exception) -> Written:
        """Keep what a single span said, and the database refuses, as a dead letter."""
        reason = f"The database refused it: {_find_cause(error)}".strip()
        content = repr(said).encode()
        letter = DeadLetter(reason, content, "text/plain", _name_component(said))
        self._commit(Batch(dead_letters=[letter]))
        self.journal.count(Event.DEAD, reason)
        return Written(refused=1)

    def _name_failure(self, error: Exception) -> ExporterError:
        cause = _find_cause(error)
        if isinstance(cause, psycopg2.Error | sa.exc.SQLAlchemyError):
            self.journal.lose_database(str(cause))
        else:
            _log.error("a request could not be stored", exc_info=error)
        return Unavailable("The database is away or busy.", retry_after_s=2)


def _answer(group: Sequence[_Waiting], written: Written) -> None:
    """Tell each request which of its runs were new; of equal ones the first counts."""
    new = set(written.new)
    for waiting in group:
        mine = new & {run.id for run in waiting.batch.runs}
        new -= mine
        waiting.done.set_result(Written(frozenset(mine), len(waiting.batch.runs) - len(mine)))


def _name_component(said: Said) -> str | None:
    run = said.run if isinstance(said, Marker) else said
    return run.component if isinstance(run, Run) else None


def _is_refusal(error: Exception) -> bool:
    cause = _find_cause(error)
    # A key that is taken is no fault of what was said: its next number may be free.
    return isinstance(cause, _REFUSED) and not isinstance(cause, _CONFLICTS)


def _is_outage(error: Exception) -> bool:
    return isinstance(_find_cause(error), psycopg2.OperationalError)


def _find_cause(error: Exception) -> BaseException:
    return (error.orig or error) if isinstance(error, sa.exc.DBAPIError) else error
