"""Where finished runs wait on disk. In: records of this process. Out: batches, oldest first.

A folder of segments, of which every process owns its own. A segment that was sent is deleted; one
whose owner died belongs to whoever locks it first.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from mltrace_otel.delivery.kept import SUFFIX as KEPT_SUFFIX
from mltrace_otel.delivery.kept import Kept, read_kept
from mltrace_otel.delivery.rejected import keep_rejected
from mltrace_otel.delivery.segment import Batch, Gone, Segment
from mltrace_otel.settings import SpoolSettings

SUFFIX = ".runs"
REJECTED = "rejected"
_SEGMENT_BYTES = 4 * 1024 * 1024
_SMALL_BYTES = 256 * 1024
_MEASURE_EVERY_S = 1.0


class SpoolFull(OSError):  # noqa: N818 - named for what is wrong
    """The spool is as large as it may become."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        super().__init__(
            f"{folder} is full: MLTRACE_SPOOL_LIMIT allows {limit_bytes / 2**20:.4g} MiB"
        )


class Spool:
    """This process's part of a spool. Any thread appends; one thread takes and acknowledges."""

    def __init__(self, settings: SpoolSettings) -> None:
        self.folder = settings.folder
        self.rejected = settings.folder / REJECTED
        self._settings = settings
        # A lock that its holder may take again: abandoned generators end a run anywhere.
        self._lock = threading.RLock()
        self._segments: deque[Segment] = deque()
        self._current: Segment | None = None
        self._adopted: Segment | None = None
        self._kept = Kept(self.folder)
        self._room_bytes = 0
        self._measured_at = -_MEASURE_EVERY_S
        self._appended = 0
        self._acknowledged = 0

    @property
    def waiting(self) -> int:
        """How many records of this process wait."""
        return self._appended - self._acknowledged

    def append(self, record: bytes) -> None:
        """Keep a record until it was acknowledged.

        Raises:
            SpoolFull: the spool would become too large.
            OSError: it cannot be written.
        """
        with self._lock:
            self._make_room(len(record))
            try:
                segment = self._current or self._open()
                segment.append(record)
            except Gone:  # what waits in the old one is sent nevertheless
                segment = self._open()
                segment.append(record)
            if self._settings.is_synced:
                segment.sync()
            self._appended += 1
            self._room_bytes -= len(record)
            if segment.size_bytes > _SEGMENT_BYTES:
                self._current = None

    def take(self, limit: int) -> Batch | None:
        """Return this process's oldest records, at most ``limit``; None if nothing waits."""
        while segment := self._find_oldest():
            try:
                if batch := segment.take(limit):
                    return batch
                if not self._retire(segment, _SMALL_BYTES):
                    return None
            except Gone:  # what waits in it is no more ours
                self._forget(segment)
        return None

    def acknowledge(self, batch: Batch) -> None:
        """Note that the batch that was taken needs not be sent again.

        Raises:
            OSError: the file does not say so; this process knows nevertheless.
        """
        self._acknowledged += len(batch.records)
        self._segments[0].acknowledge(batch)

    def tidy(self) -> None:
        """Delete what was sent; the next record begins a new file."""
        for segment in tuple(self._segments):
            with suppress(Gone):
                self._retire(segment, 0)
        with self._lock:
            self._kept.tidy()

    def keep(self, key: bytes, record: bytes) -> None:
        """Keep a record that is sent only if this process dies; see `Kept`."""
        with self._lock:
            self._kept.keep(key, record)

    def forget(self, key: bytes) -> None:
        """Keep nothing for this key any more."""
        with self._lock:
            self._kept.forget(key)

    def adopt(self) -> Segment | None:
        """Return a file that a dead process left, until it is drained; then the next."""
        if self._adopted:
            with suppress(Gone):
                if not self._adopted.is_drained():
                    return self._adopted
                self._adopted.remove()
            self._adopted = None
        with suppress(OSError):
            self._adopted = _find_left(self.folder)
        return self._adopted

    def set_aside(self, records: Iterable[bytes], reason: str) -> None:
        """Keep records that no server takes.

        Raises:
            OSError: they cannot be written, or the spool would become too large.
        """
        if measure(self.folder) >= self._settings.limit_bytes:
            raise SpoolFull(self.folder, self._settings.limit_bytes)
        keep_rejected(self.rejected, records, reason)

    def close(self) -> None:
        """Let go of all files; what waits in them is for others to send."""
        for each in (*self._segments, self._adopted, self._kept):
            if each:
                each.close()

    def _find_oldest(self) -> Segment | None:
        with self._lock:
            if self._segments:
                return self._segments[0]
            self._acknowledged = self._appended  # also what is no more ours to send
            return None

    def _open(self) -> Segment:
        # Parents do not get the mode; the one above holds what runs read and wrote, too.
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        segment = Segment.create(self.folder, SUFFIX)
        self._segments.append(segment)
        self._current = segment
        return segment

    def _make_room(self, size_bytes: int) -> None:
        if size_bytes <= self._room_bytes and self._current:
            return
        now = monotonic()
        if now - self._measured_at >= _MEASURE_EVERY_S:
            self._measured_at = now
            self._room_bytes = self._settings.limit_bytes - measure(self.folder)
        if size_bytes > self._room_bytes:
            raise SpoolFull(self.folder, self._settings.limit_bytes)

    def _retire(self, segment: Segment, least_bytes: int) -> bool:
        """Delete a segment that was sent, if it has this size; return whether to look again."""
        with self._lock:
            if not segment.is_drained():
                return True
            if segment is self._current and segment.size_bytes < least_bytes:
                self._acknowledged = self._appended
                return False
            segment.remove()
            self._forget(segment)
            return True

    def _forget(self, segment: Segment) -> None:
        with self._lock:
            if segment is self._current:
                self._current = None
            if segment in self._segments:
                self._segments.remove(segment)
            self._room_bytes += segment.size_bytes


def _find_left(folder: Path) -> Segment | None:
    """Own a file whose owner is dead and return it. What runs left open comes after the rest."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if segment := _own(path):
            return segment
    for path in sorted(folder.glob(f"*{KEPT_SUFFIX}")):
        if (segment := Segment.adopt(path)) and (finished := _finish(segment)):
            return finished
    return None


def _own(path: Path) -> Segment | None:
    segment = Segment.adopt(path)
    if segment and segment.is_drained():
        segment.remove()
        return None
    return segment


def _finish(last_words: Segment) -> Segment | None:
    """Make what a dead process kept records to send."""
    finished: Segment | None = None
    try:
        for record in read_kept(last_words):
            finished = finished or Segment.create(last_words.path.parent, SUFFIX)
            finished.append(record)
    except OSError:
        if finished:
            finished.remove()
        last_words.close()
        raise
    last_words.remove()
    return finished


def measure(folder: Path) -> int:
    """Return the size of all files in a folder of folders, in bytes."""
    size_bytes = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                size_bytes += measure(Path(entry)) if is_folder else entry.stat().st_size
    return size_bytes
