"""What every page's template is given, as the name ``page``: its frame, and what a page adds.

Each page has a frozen dataclass named after its template, declared beside the route that fills it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Section(StrEnum):
    """The entries of the navigation."""

    RECENT = "recent"
    COMPONENTS = "components"
    TESTS = "tests"
    REVIEW = "review"
    FLAGS = "flags"
    LINEAGE = "lineage"
    SEARCH = "search"
    STATUS = "status"


class Theme(StrEnum):
    """Which colours somebody chose. Until they do, their system says."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page's content.

    Attributes:
        title: the page's name, for the browser's tab.
        now: when the page was made; ages are counted from here.
        here: the page's own address, for forms that come back to it.
        section: the navigation's entry that the page belongs to.
        theme: the colours chosen; None for those of the system.
        open_flags: how many outputs are flagged; None where no database was asked.
        line: what stands in the command bar.
        complaint: what is wrong with that line.
        is_read_only: whether nothing can be flagged, resolved or written here.
        writer_url: where it can, if that is known.
        lag_s: how old what a replica shows may be; None of what is none, or was not asked.
    """

    title: str
    now: datetime
    here: str
    section: Section | None = None
    theme: Theme | None = None
    open_flags: int | None = None
    line: str = ""
    complaint: str = ""
    is_read_only: bool = False
    writer_url: str | None = None
    lag_s: float | None = None


class Context(Protocol):
    """What a template is given."""

    @property
    def frame(self) -> Frame:
        """What stands around the content."""


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What went wrong, in the words of the API's ``Problem``."""

    frame: Frame
    status: int
    title: str
    detail: str
