"""The service itself: what it could not store, its emptying, its errors."""

from dataclasses import dataclass
from datetime import datetime

CLEAN_CONFIRMATION = "delete all data"
"""What ``DELETE /api/data`` must be told to delete everything that was recorded."""


@dataclass(frozen=True, slots=True)
class CleanRequest:
    """Body of ``DELETE /api/data``. ``confirm`` must be ``CLEAN_CONFIRMATION``."""

    confirm: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was deleted: how many runs."""

    run_count: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A span that was received and could not be stored.

    Attributes:
        id: its number.
        received_at: when it came first.
        reason: why it could not be stored, in a sentence.
        component: whose run it may have been; None if that cannot be told.
        encoding: how the content is written: a content type of OTLP.
        size_bytes: how long the content was; of a long one the beginning is kept.
        content: what was sent, in base64.
    """

    id: int
    received_at: datetime
    reason: str
    component: str | None
    encoding: str
    size_bytes: int
    content: str


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """Dead letters, newest first. ``next_cursor`` goes into ``before`` to get what follows."""

    items: list[DeadLetter]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Any error of the API, as ``application/problem+json``. Source: RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
