"""Where finished runs wait when no disk can have them. In: records. Out: batches, oldest first."""

import threading
from collections import deque
from itertools import islice

from mltrace_otel.delivery.segment import BATCH_LIMIT_BYTES, Batch

LIMIT_BYTES = 64 * 1024 * 1024


class MemoryFull(Exception):  # noqa: N818 - named for what is wrong
    """As many records wait as may."""

    def __init__(self) -> None:
        super().__init__(f"more than {LIMIT_BYTES >> 20} MiB of runs wait in memory")


class Memory:
    """Records in memory. Any thread appends; one thread takes and acknowledges."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._records: deque[bytes] = deque()
        self._size_bytes = 0

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return len(self._records)

    def append(self, record: bytes) -> None:
        """Keep a record until it was acknowledged.

        Raises:
            MemoryFull: there are too many.
        """
        with self._lock:
            if self._size_bytes + len(record) > LIMIT_BYTES:
                raise MemoryFull
            self._records.append(record)
            self._size_bytes += len(record)

    def take(self, limit: int) -> Batch | None:
        """Return the oldest records, at most ``limit``; None if nothing waits."""
        with self._lock:
            oldest = list(islice(self._records, limit))
        batch: list[bytes] = []
        size_bytes = 0
        for record in oldest:
            size_bytes += len(record)
            if batch and size_bytes > BATCH_LIMIT_BYTES:
                break
            batch.append(record)
        return Batch(batch, [], size_bytes) if batch else None

    def acknowledge(self, batch: Batch) -> None:
        """Forget the batch that was taken."""
        with self._lock:
            for record in batch.records:
                if self._records and self._records[0] is record:  # not given up meanwhile
                    self._records.popleft()
                    self._size_bytes -= len(record)

    def give_up(self) -> int:
        """Forget everything; return how many records that were."""
        with self._lock:
            count = len(self._records)
            self._records.clear()
            self._size_bytes = 0
            return count
