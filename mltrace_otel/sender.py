"""Delivery of finished runs. In: serialised OTLP requests. Out: requests to the endpoint.

Runs wait in memory, at most `QUEUE_LIMIT_BYTES`, until the server acknowledged them. One daemon
thread sends; the user's thread only appends. At exit the rest is sent for as long as
acknowledgements come in: after `PATIENCE_S` without one the program ends and the loss is said.
"""

import atexit
import logging
import os
import sys
import threading
from collections import deque
from itertools import islice
from time import monotonic, sleep

from mltrace_otel.errors import SettingsError
from mltrace_otel.settings import Settings, read_settings
from mltrace_otel.transport import Answer, Transport, Verdict, open_transport

QUEUE_LIMIT_BYTES = 64 * 1024 * 1024
BATCH_LIMIT_BYTES = 3 * 1024 * 1024
PATIENCE_S = 2.0

_BATCH_LIMIT = 4096
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_LONGEST_ASKED_PAUSE_S = 300.0
_OUTAGE_S = 60.0

_log = logging.getLogger("mltrace_otel")


class Sender:
    """Sends records, each a serialised ``ExportTraceServiceRequest`` of one run.

    Requests can be joined byte by byte into a valid one, so a batch needs no decoding.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(
            before=self._begin_fork,
            after_in_parent=self._end_fork,
            after_in_child=self._begin,
        )
        atexit.register(self.finish)

    def _begin_fork(self) -> None:
        self._connecting.acquire()

    def _end_fork(self) -> None:
        self._connecting.release()

    def _begin(self) -> None:
        """Begin with nothing to send: what a forked child inherits is its parent's to send."""
        self._changed = threading.Condition()
        self._connecting = threading.Lock()
        self._records: deque[bytes] = deque()
        self._size_bytes = 0
        self._lost = 0
        self._lost_at_flush = 0
        self._progress_at = monotonic()
        self._finishing = threading.Event()
        self._thread: threading.Thread | None = None
        self._settings: Settings | None = None
        self._transport: Transport | None = None

    def submit(self, record: bytes) -> None:
        """Take a record to send. Never waits; a record that does not fit is lost and said to be."""
        with self._changed:
            if self._size_bytes + len(record) > QUEUE_LIMIT_BYTES:
                self._lose(1, f"more than {QUEUE_LIMIT_BYTES >> 20} MiB of runs wait to be sent")
                return
            self._records.append(record)
            self._size_bytes += len(record)
            if self._thread is None:
                self._start()
            if len(self._records) == 1:  # else the thread is at work
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything was acknowledged.

        Returns:
            False if it was not within ``timeout_s``, or if records were lost since the last flush.
        """
        with self._changed:
            all_sent = self._changed.wait_for(lambda: not self._records, timeout_s)
            lost, self._lost_at_flush = self._lost - self._lost_at_flush, self._lost
            return all_sent and not lost

    def finish(self) -> None:
        """Wait as long as the server keeps acknowledging, then say what it did not take."""
        self._finishing.set()
        with self._changed:
            self._progress_at = monotonic()
            while self._records:
                left_s = self._progress_at + PATIENCE_S - monotonic()
                if left_s <= 0:
                    endpoint = self._settings.endpoint if self._settings else "the endpoint"
                    self._lose(
                        len(self._records), f"{endpoint} did not take them before exit", last=True
                    )
                    self._records.clear()
                    return
                self._changed.wait(left_s)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="mltrace-sender", daemon=True)
        self._thread.start()
        multiprocessing = sys.modules.get("multiprocessing.util")
        if multiprocessing:  # its children end without atexit
            multiprocessing.Finalize(None, self.finish, exitpriority=100)

    def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        limit = _BATCH_LIMIT
        outage = _Outage()
        while True:
            batch = self._take(limit)
            answer = self._post(b"".join(batch))
            if answer.verdict is Verdict.POSTPONED:
                outage.note(answer)
                asked_s = min(answer.retry_after_s or 0.0, _LONGEST_ASKED_PAUSE_S)
                self._pause(max(asked_s, pause_s))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            pause_s, outage = _FIRST_PAUSE_S, _Outage()
            if answer.verdict is Verdict.REFUSED and len(batch) > 1:
                limit = len(batch) // 2  # by halves, to lose only what is refused
                continue
            limit = min(limit * 2, _BATCH_LIMIT)
            self._drop(batch, answer)

    def _take(self, limit: int) -> list[bytes]:
        """Wait for records and return the oldest, one to ``limit``; they stay queued."""
        with self._changed:
            self._changed.wait_for(lambda: self._records)
            batch: list[bytes] = []
            size_bytes = 0
            for record in islice(self._records, limit):
                size_bytes += len(record)
                if batch and size_bytes > BATCH_LIMIT_BYTES:
                    break
                batch.append(record)
            return batch

    def _post(self, body: bytes) -> Answer:
        try:
            return self._connect().post(body)
        except SettingsError as error:
            return Answer(Verdict.REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - this thread must outlive whatever a server does
            return Answer(Verdict.POSTPONED, f"{type(error).__name__}: {error}")

    def _connect(self) -> Transport:
        settings = read_settings()
        if self._transport is None or settings != self._settings:
            # Modules are imported here: a fork meanwhile would leave their locks held in the child.
            with self._connecting:
                if self._transport:
                    self._transport.close()
                self._transport, self._settings = open_transport(settings), settings
        return self._transport

    def _pause(self, seconds: float) -> None:
        """Wait before the next try, shortly once the program is ending."""
        if self._finishing.wait(seconds):
            sleep(_FIRST_PAUSE_S)

    def _drop(self, batch: list[bytes], answer: Answer) -> None:
        """Forget what the server took, or will never take."""
        with self._changed:
            for record in batch:
                if self._records and self._records[0] is record:  # not given up meanwhile
                    self._records.popleft()
                    self._size_bytes -= len(record)
            if answer.verdict is Verdict.REFUSED:
                self._lose(len(batch), answer.message)
            elif answer.message:
                _log.warning("The server did not take every run: %s", answer.message)
            self._progress_at = monotonic()
            self._changed.notify_all()

    def _lose(self, count: int, reason: str, *, last: bool = False) -> None:
        # The first is said at once, then each time that the loss has doubled, and the last.
        before, self._lost = self._lost, self._lost + count
        if last or before.bit_length() != self._lost.bit_length():
            _log.warning(
                "%d component run(s) were not recorded: %s.", self._lost, reason.rstrip(".")
            )


class _Outage:
    """A time without acknowledgements. It is said once, when it has lasted a while."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._said = False

    def note(self, answer: Answer) -> None:
        now = monotonic()
        self._began_at = self._began_at or now
        if not self._said and now - self._began_at > _OUTAGE_S:
            self._said = True
            _log.warning("Runs wait in memory for the server: %s", answer.message)


SENDER = Sender()
