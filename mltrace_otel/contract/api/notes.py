"""What people write about runs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a run. All notes are kept.

    Attributes:
        id: its number; None for the note that the run itself brought along.
        run_id: the run that it is about.
        text: what it says.
        author: who wrote it, as far as it was told.
        noted_at: when.
    """

    id: int | None
    run_id: int
    text: str
    author: str | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Body of ``POST /api/runs/{ref}/notes``."""

    text: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class NotePage:
    """Notes, newest first. ``next_cursor`` goes into ``before`` to get the page that follows."""

    items: list[Note]
    next_cursor: str | None
