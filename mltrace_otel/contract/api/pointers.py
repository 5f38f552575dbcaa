"""What is known of one pointer."""

from dataclasses import dataclass
from datetime import datetime

from mltrace_otel.contract.api.flags import Flag


@dataclass(frozen=True, slots=True)
class PointerUse:
    """A run that wrote or read a pointer, and the content that it found there."""

    run_id: int
    component: str
    moment: datetime
    """When the writer ended, or the reader began."""
    type: str
    digest: str | None
    size_bytes: int | None
    labels: list[str]


@dataclass(frozen=True, slots=True)
class PointerHistory:
    """A pointer: who wrote it and who read it, newest first, and its flags.

    Attributes:
        name: its name.
        type: what the last run said that it is: data, model, endpoint or unknown.
        flagged: whether it is flagged now.
        versions: runs that wrote it.
        versions_cursor: goes into ``versions_before`` to get older ones.
        readers: runs that read it.
        readers_cursor: goes into ``readers_before`` to get older ones.
        flags: its newest flags, open or not, at most ``POINTER_FLAG_LIMIT``.
    """

    name: str
    type: str
    flagged: bool
    versions: list[PointerUse]
    versions_cursor: str | None
    readers: list[PointerUse]
    readers_cursor: str | None
    flags: list[Flag]


POINTER_FLAG_LIMIT = 100
