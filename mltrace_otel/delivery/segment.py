"""One file of records that wait to be sent. In: records, bytes. Out: batches of them, in order.

A head says up to where the file was acknowledged; each record has a mark, its length and a
checksum in front, so that what is damaged can be told and passed over. Who holds the file's lock
owns it; the system lets go of the lock when the owner dies, however it dies.
"""

import errno
import fcntl
import os
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Self

BATCH_LIMIT_BYTES = 3 * 1024 * 1024
HEAD_BYTES = 24

_HEAD = struct.Struct("<8sQI4x")  # name and version, position acknowledged, its checksum
_NAME = b"mltrace\x01"
_FRAME = struct.Struct("<4sII")  # mark, length, checksum
_MARK = b"\xabRUN"
_MANY = 1_000_000
_OPEN = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW
_serial = count()


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to send together, and what was passed over on the way.

    Attributes:
        records: the records, oldest first.
        damaged: bytes that are no record any more.
        end: position in the file after all of them.
    """

    records: list[bytes]
    damaged: list[bytes]
    end: int


class Gone(OSError):  # noqa: N818 - named for what is wrong
    """The file was deleted, or somebody closed it under us."""


class Segment:
    """A file that this process owns. One thread appends at a time, one reads and acknowledges."""

    def __init__(self, path: Path, descriptor: int, position: int) -> None:
        status = os.fstat(descriptor)
        self.path = path
        self.position = position
        self.size_bytes = status.st_size
        self._descriptor = descriptor
        self._identity = (status.st_dev, status.st_ino)

    @classmethod
    def create(cls, folder: Path, suffix: str) -> Self:
        """Return a new file; its name tells its age and its owner.

        Raises:
            OSError: it cannot be made.
        """
        while True:
            name = f"{time.time_ns():016x}-{next(_serial)}-{os.getpid()}{suffix}"
            descriptor = os.open(folder / name, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                if _lock(descriptor):  # else another process saw it first and took it for left
                    os.write(descriptor, _encode_head(HEAD_BYTES))
                    return cls(folder / name, descriptor, HEAD_BYTES)
            except BaseException:
                os.close(descriptor)
                (folder / name).unlink(missing_ok=True)
                raise
            os.close(descriptor)

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """Return a file whose owner is dead, which is ours from now on; None if there is none."""
        try:
            descriptor = os.open(path, _OPEN)
        except OSError:  # gone, or another user's
            return None
        with suppress(OSError):
            if _lock(descriptor):
                return cls(path, descriptor, _read_head(descriptor))
        os.close(descriptor)
        return None

    @classmethod
    def peek(cls, path: Path) -> tuple[Self, bool] | None:
        """Return a file to read, and whether its owner lives; None if there is none."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        is_left = _lock(descriptor, fcntl.LOCK_SH)
        return cls(path, descriptor, _read_head(descriptor)), not is_left

    def append(self, record: bytes) -> None:
        """Add a record behind the others.

        Raises:
            Gone: there is no such file any more.
            OSError: it cannot be written; the file is as it was.
        """
        frame = _encode_frame(record)
        if not self._check().st_nlink:
            raise Gone(errno.ENOENT, "the file was deleted")
        # The system finds the end: any call of ours may end an abandoned generator, whose run is
        # then appended in the middle of this one.
        written = os.write(self._descriptor, frame)
        self.size_bytes = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if written != len(frame):
            self.size_bytes -= written
            os.ftruncate(self._descriptor, self.size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Wait until the disk has all of it."""
        os.fdatasync(self._descriptor)

    def take(self, limit: int) -> Batch | None:
        """Return the oldest records, at most ``limit``, that were not acknowledged."""
        return self._read(self.position, limit)

    def read(self) -> Iterator[bytes]:
        """Yield all records that were not acknowledged."""
        position = self.position
        while batch := self._read(position, _MANY):
            yield from batch.records
            position = batch.end

    def acknowledge(self, batch: Batch) -> None:
        """Note that the batch needs not be sent again.

        Raises:
            OSError: the file does not say so; this process knows nevertheless.
        """
        self.position = batch.end
        # What is open already can only append.
        descriptor = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            os.pwrite(descriptor, _encode_head(batch.end), 0)
        finally:
            os.close(descriptor)

    def is_drained(self) -> bool:
        """Return whether everything was acknowledged. Nobody may append meanwhile."""
        self.size_bytes = self._check().st_size
        return self.size_bytes <= self.position

    def empty(self) -> None:
        """Forget all records."""
        self._check()
        os.ftruncate(self._descriptor, HEAD_BYTES)
        self.size_bytes = HEAD_BYTES

    def remove(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file; what waits in it is for others to send."""
        with suppress(OSError):
            self._check()
            os.close(self._descriptor)

    def _read(self, position: int, limit: int) -> Batch | None:
        # Not the size that the system tells: it counts a record that is being written.
        waiting_bytes = self.size_bytes - position
        if waiting_bytes <= 0:
            return None
        self._check()
        data = os.pread(self._descriptor, waiting_bytes, position)
        records, damaged, length = _decode_frames(data, limit)
        return Batch(records, damaged, position + length)

    def _check(self) -> os.stat_result:
        """Return the file's status, after making sure that it is ours.

        A program that becomes a daemon closes every file that it does not know, and may have
        opened one of its own under the same number.
        """
        with suppress(OSError):
            status = os.fstat(self._descriptor)
            if (status.st_dev, status.st_ino) == self._identity:
                return status
        raise Gone(errno.EBADF, "the program closed the file")


def _encode_frame(record: bytes) -> bytes:
    """Return a record with its mark, length and checksum."""
    length = len(record)
    return b"".join((_FRAME.pack(_MARK, length, zlib.crc32(record, length)), record))


def _decode_frames(data: bytes, limit: int) -> tuple[list[bytes], list[bytes], int]:
    """Return the first records, what is damaged between them, and how many bytes that was."""
    records: list[bytes] = []
    damaged: list[bytes] = []
    offset = size_bytes = 0
    while offset < len(data) and len(records) < limit:
        record = _decode_frame(data, offset)
        if record is None:
            end = _find_frame(data, offset + 1)
            damaged.append(data[offset:end])
            offset = end
            continue
        size_bytes += len(record)
        if records and size_bytes > BATCH_LIMIT_BYTES:
            break
        records.append(record)
        offset += _FRAME.size + len(record)
    return records, damaged, offset


def _decode_frame(data: bytes, offset: int) -> bytes | None:
    start = offset + _FRAME.size
    if start > len(data):
        return None
    mark, length, checksum = _FRAME.unpack_from(data, offset)
    if mark != _MARK or start + length > len(data):
        return None
    record = data[start : start + length]
    return record if zlib.crc32(record, length) == checksum else None


def _find_frame(data: bytes, offset: int) -> int:
    """Return where the next whole record begins; the data's length if there is none."""
    while (offset := data.find(_MARK, offset)) >= 0:
        if _decode_frame(data, offset) is not None:
            return offset
        offset += 1
    return len(data)


def _encode_head(position: int) -> bytes:
    return _HEAD.pack(_NAME, position, zlib.crc32(position.to_bytes(8)))


def _read_head(descriptor: int) -> int:
    """Return the position acknowledged; the beginning, if the head is damaged."""
    head = os.pread(descriptor, HEAD_BYTES, 0)
    if len(head) == HEAD_BYTES:
        name, position, checksum = _HEAD.unpack(head)
        if name == _NAME and checksum == zlib.crc32(position.to_bytes(8)):
            return max(HEAD_BYTES, int(position))
    return HEAD_BYTES


def _lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock a file that still has a name; return whether that went well."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0
