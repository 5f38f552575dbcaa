"""Records to send only if this process dies. In: a record for a key. Out: a file that outlives us.

The file lies beside those of finished runs and is owned like them. It is a log: the last word about
a key counts, and a key without a record is forgotten.
"""

from pathlib import Path

from mltrace_otel.delivery.segment import Gone, Segment

SUFFIX = ".kept"
KEY_BYTES = 8
_REWRITE_BYTES = 256 * 1024


class Kept:
    """The records that this process keeps. Not for two threads at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: dict[bytes, bytes] = {}
        self._segment: Segment | None = None

    def keep(self, key: bytes, record: bytes) -> None:
        """Keep a record, instead of an earlier one of this key.

        Raises:
            OSError: it cannot be written.
        """
        self._records[key] = record
        self._note(key + record)

    def forget(self, key: bytes) -> None:
        """Keep nothing for this key any more.

        Raises:
            OSError: it cannot be written.
        """
        if self._records.pop(key, None) is not None:
            self._note(key)

    def tidy(self) -> None:
        """Delete the file, if nothing is kept."""
        if self._segment and not self._records:
            self._segment.remove()
            self._segment = None

    def close(self) -> None:
        """Let go of the file."""
        if self._segment:
            self._segment.close()

    def _note(self, entry: bytes) -> None:
        try:
            if self._segment is None:
                self._rewrite()
            elif not self._records:
                self._segment.empty()
            elif self._is_long(self._segment):
                self._rewrite()
            else:
                self._segment.append(entry)
        except Gone:
            self._rewrite()

    def _is_long(self, segment: Segment) -> bool:
        needed_bytes = sum(map(len, self._records.values()))
        return segment.size_bytes > _REWRITE_BYTES + 2 * needed_bytes

    def _rewrite(self) -> None:
        """Begin a new file with what is kept now."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        old, self._segment = self._segment, Segment.create(self._folder, SUFFIX)
        for key, record in tuple(self._records.items()):
            self._segment.append(key + record)
        if old:
            old.remove()


def read_kept(segment: Segment) -> list[bytes]:
    """Return the records that a process kept until its end."""
    records: dict[bytes, bytes] = {}
    for entry in segment.read():
        records[entry[:KEY_BYTES]] = entry[KEY_BYTES:]
    return [record for record in records.values() if record]
