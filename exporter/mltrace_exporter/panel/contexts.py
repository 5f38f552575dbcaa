"""What each page's template is given: one frozen dataclass a page, as the name ``page``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from markupsafe import Markup

from mltrace_exporter.panel.tree import Branch
from mltrace_otel.contract.api import Component, Review, Run, RunPage, Tag, Trace


class Section(StrEnum):
    """The entries of the navigation."""

    RECENT = "recent"
    COMPONENTS = "components"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page's content.

    Attributes:
        title: the page's name, for the browser's tab.
        now: when the page was made; ages are counted from here.
        section: the navigation's entry that the page belongs to.
        open_flags: how many outputs are flagged; None where no database was asked.
        output: the output whose trace is shown, for the search field.
    """

    title: str
    now: datetime
    section: Section | None = None
    open_flags: int | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class RecentContext:
    """The newest runs, or those before a cursor."""

    frame: Frame
    runs: RunPage
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run; ``code`` is its highlighted snapshot."""

    frame: Frame
    run: Run
    code: Markup | None


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace of an output; None before an output was asked for."""

    frame: Frame
    trace: Trace | None
    tree: Branch | None


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """The flagged outputs and the runs behind them."""

    frame: Frame
    review: Review


@dataclass(frozen=True, slots=True)
class ComponentsContext:
    """All components and tags."""

    frame: Frame
    components: list[Component]
    tags: list[Tag]


@dataclass(frozen=True, slots=True)
class ComponentContext:
    """One component with its history."""

    frame: Frame
    component: Component
    runs: RunPage
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class TagContext:
    """The components that carry a tag, and their newest runs."""

    frame: Frame
    tag: str
    components: list[Component]
    runs: RunPage


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What went wrong, in the words of the API's ``Problem``."""

    frame: Frame
    status: int
    title: str
    detail: str


Context = (
    RecentContext
    | RunContext
    | TraceContext
    | ReviewContext
    | ComponentsContext
    | ComponentContext
    | TagContext
    | ErrorContext
)
