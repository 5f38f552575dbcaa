"""Delivery of finished runs. In: serialised OTLP requests. Out: requests to the endpoint.

Runs wait on disk until the server acknowledged them; where no disk can have them, in memory. The
user's thread only appends. One daemon thread sends, also what dead processes left. At exit it gets
`EXIT_LIMIT_S` and leaves the rest to the next process; for runs in memory it goes on as long as
acknowledgements come in, and then their loss is said.
"""

import atexit
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic

from mltrace_otel.delivery.answer import Answer, Verdict
from mltrace_otel.delivery.courier import BATCH_LIMIT, Courier, Outcome, Patience, deliver_left
from mltrace_otel.delivery.memory import Memory, MemoryFull
from mltrace_otel.delivery.spool import Spool, SpoolFull
from mltrace_otel.errors import SettingsError
from mltrace_otel.notices import log
from mltrace_otel.settings import SpoolSettings, read_settings, read_spool_settings

EXIT_LIMIT_S = 2.0
PATIENCE_S = 2.0

_LINGER_S = 0.05
_LOOK_EVERY_S = 15.0
_DISK_PAUSE_S = 10.0
_OUTAGE_S = 60.0
_HOME = "MLTRACE_HOME"
_NO_DISK = (OSError, ValueError)  # a path may be none, as one with a null character


class Sender:
    """Sends records, each a serialised ``ExportTraceServiceRequest``."""

    def __init__(self) -> None:
        self._spool: Spool | None = None
        self._begin()
        os.register_at_fork(
            before=self._begin_fork,
            after_in_parent=self._end_fork,
            after_in_child=self._begin,
        )
        atexit.register(self.finish)

    def _begin_fork(self) -> None:
        self._courier.connecting.acquire()

    def _end_fork(self) -> None:
        self._courier.connecting.release()

    def _begin(self) -> None:
        """Begin with nothing to send: what a forked child inherits is its parent's to send."""
        if self._spool:
            self._spool.close()
        self._spool = None
        self._memory = Memory()
        self._courier = Courier(read_settings, self._set_aside)
        self._changed = threading.Condition()
        self._hurried = threading.Event()
        self._finishing = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_idle = False
        self._disk_failed_at: float | None = None
        self._look_at = 0.0
        self._has_looked = False
        self._progress_at = self._failed_try_at = 0.0
        self._outage = _Outage()
        self._losses = _Losses()
        self._left = 0

    @property
    def waiting(self) -> int:
        """How many records of this process wait to be sent."""
        return self._memory.waiting + (self._spool.waiting if self._spool else 0)

    def submit(self, record: bytes) -> None:
        """Take a record to send. Never waits; a record that does not fit is lost and said to be."""
        try:
            if not self._write(record):
                self._memory.append(record)
        except (SpoolFull, MemoryFull) as full:
            self._losses.add(1, str(full))
            return
        if self._thread is None:
            self.start()
        elif self._is_idle:
            with self._changed:
                self._changed.notify_all()

    def keep(self, key: bytes, record: bytes) -> None:
        """Keep a record that is sent only if this process dies, instead of an earlier one."""
        with suppress(OSError):
            if self._spool:
                self._spool.keep(key, record)

    def forget(self, key: bytes) -> None:
        """Keep nothing for this key any more."""
        with suppress(OSError):
            if self._spool:
                self._spool.forget(key)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything was acknowledged.

        Returns:
            False if it was not within ``timeout_s``, or if records were lost since the last flush.
        """
        self._hurried.set()
        with self._changed:
            all_sent = self._changed.wait_for(lambda: not self.waiting, timeout_s)
        if not self._finishing.is_set():
            self._hurried.clear()
        return not self._losses.count_new() and all_sent

    def finish(self) -> None:
        """Wait a little for the server, then say what it did not take."""
        if self._left and self.waiting <= self._left:  # `multiprocessing` ends programs, too
            return
        began_at = self._progress_at = monotonic()
        self._finishing.set()
        self._hurried.set()
        with self._changed:
            while self._is_at_work() and (left_s := self._find_time_left(began_at)) > 0:
                self._changed.wait(left_s)
        if self._memory.waiting:
            reason = f"{self._courier.endpoint} did not take them before exit"
            self._losses.add(self._memory.give_up(), reason, is_last=True)
        if self._spool:
            self._spool.tidy()
            self._outage.say_left(self._spool, self._courier.endpoint)
        self._left = self.waiting

    def _is_at_work(self) -> bool:
        """Return whether there is more to send, as far as is known."""
        return self.waiting > 0 or (self._thread is not None and not self._has_looked)

    def _find_time_left(self, began_at: float) -> float:
        """Return how long, in seconds, the program's end may wait for the server."""
        if self._memory.waiting:
            return self._progress_at + PATIENCE_S - monotonic()
        if self._failed_try_at >= began_at:  # a server that is away is not worth a wait
            return 0
        return began_at + EXIT_LIMIT_S - monotonic()

    def _write(self, record: bytes) -> bool:
        """Append a record to the spool; return whether it is there."""
        failed_at = self._disk_failed_at
        if failed_at is not None and monotonic() - failed_at < _DISK_PAUSE_S:
            return False
        try:
            (self._spool or self._open_spool()).append(record)
        except SpoolFull:
            raise
        except _NO_DISK as error:
            if failed_at is None:
                log.warning("Runs wait in memory only, because no file can hold them: %s.", error)
            self._disk_failed_at = monotonic()
            return False
        return True

    def _open_spool(self) -> Spool:
        with self._changed:
            self._spool = self._spool or Spool(_read_spool_settings())
            return self._spool

    def _set_aside(self, records: Iterable[bytes], reason: str) -> None:
        if self._spool is None:
            raise OSError("there is no folder to keep them in")
        self._spool.set_aside(records, reason)

    def start(self) -> None:
        """Begin to send what dead processes left, and what comes."""
        with self._changed:
            if self._thread:
                return
            thread = threading.Thread(target=self._run, name="mltrace-sender", daemon=True)
            with suppress(RuntimeError):  # too late in the program's life, or too many threads
                thread.start()
                self._thread = thread
        multiprocessing = sys.modules.get("multiprocessing.util")
        if multiprocessing:  # its children end without atexit
            multiprocessing.Finalize(None, self.finish, exitpriority=100)

    def _run(self) -> None:
        patience = Patience()
        while True:
            self._await_work()
            tried_at = monotonic()
            outcome = self._send()
            if outcome is None:
                continue
            if outcome.is_settled:
                patience = Patience()
                self._settle(outcome)
                continue
            self._outage.note(outcome.answer)
            if not self._finishing.is_set():  # else there is one warning, at the end
                self._outage.say(self._memory.waiting == 0)
            with self._changed:
                self._failed_try_at = tried_at
                self._changed.notify_all()
            patience.wait(outcome.answer, self._finishing)

    def _await_work(self) -> None:
        """Wait for records, or until it is time to look for what others left."""
        with self._changed:
            self._is_idle = True
            while not self.waiting and (left_s := self._look_at - monotonic()) > 0:
                self._changed.wait(left_s)
            self._is_idle = False
        if 0 < self.waiting < BATCH_LIMIT:  # more may come, and go with the same request
            self._hurried.wait(_LINGER_S)

    def _send(self) -> Outcome | None:
        try:
            return (
                (self._spool and self._courier.step(self._spool))
                or self._courier.step(self._memory)
                or self._send_left()
            )
        except Exception as error:  # noqa: BLE001 - this thread must outlive whatever a disk does
            return Outcome(Answer(Verdict.POSTPONED, repr(error)))

    def _send_left(self) -> Outcome | None:
        """Send a batch of what dead processes left."""
        if monotonic() < self._look_at:
            return None
        outcome: Outcome | None = None
        with suppress(*_NO_DISK):
            outcome = next(deliver_left(self._open_spool().adopt, self._courier), None)
        if outcome is None:
            self._look_at = monotonic() + _LOOK_EVERY_S
            with self._changed:
                self._has_looked = True
                self._changed.notify_all()
        return outcome

    def _settle(self, outcome: Outcome) -> None:
        """Say what was refused, and let those know who wait."""
        self._outage = _Outage()
        if outcome.rejected:
            place = self._spool.rejected if self._spool and outcome.is_kept else None
            self._losses.add(outcome.rejected, outcome.reason, place)
        elif outcome.answer.message:
            log.warning("The server did not take every run: %s", outcome.answer.message)
        with self._changed:
            self._progress_at = monotonic()
            self._changed.notify_all()


class _Losses:
    """Counts records that will not arrive, and says so when there are more and more."""

    def __init__(self) -> None:
        self._count = 0
        self._counted = 0

    def add(self, count: int, reason: str, place: object = None, *, is_last: bool = False) -> None:
        """Count records, which are kept in ``place``, if anywhere."""
        # The first is said at once, then each time that the number has doubled, and the last.
        before, self._count = self._count, self._count + count
        if is_last or before.bit_length() != self._count.bit_length():
            log.warning(
                "%d component run(s) were not recorded: %s.%s",
                self._count,
                reason.rstrip("."),
                f" Kept aside: {place}" if place else "",
            )

    def count_new(self) -> int:
        """Return how many came since the last time."""
        new, self._counted = self._count - self._counted, self._count
        return new


class _Outage:
    """A time without acknowledgements. It is said once: when it has lasted, or must."""

    def __init__(self) -> None:
        self._began_at = monotonic()
        self._reason = "it has not answered yet"
        self._is_lasting = False
        self._is_said = False

    def note(self, answer: Answer) -> None:
        """Note a try that failed."""
        self._reason = answer.message.rstrip(".")
        self._is_lasting = (
            answer.verdict is Verdict.BLOCKED or monotonic() - self._began_at > _OUTAGE_S
        )

    def say(self, is_safe: bool) -> None:  # noqa: FBT001 - private
        """Say that runs wait, once, if it lasts."""
        if self._is_lasting and not self._is_said:
            self._is_said = True
            where = "on disk" if is_safe else "in memory"
            log.warning("Runs wait %s for the server: %s.", where, self._reason)

    def say_left(self, spool: Spool, endpoint: str) -> None:
        """Say what waits at the program's end."""
        if spool.waiting:
            log.warning(
                "%d component run(s) wait in %s, because %s did not take them: %s. The next "
                "program sends them, or `mltrace spool send`.",
                spool.waiting,
                spool.folder,
                endpoint,
                self._reason,
            )


def _read_spool_settings() -> SpoolSettings:
    try:
        return read_spool_settings()
    except SettingsError as error:
        log.warning("%s The default is used.", error)
        return read_spool_settings({_HOME: os.environ.get(_HOME, "")})


SENDER = Sender()
