"""What flagged outputs have in common, and what was different where it went wrong."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from mltrace_exporter import marks
from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import redirect, render_page, stream_page
from mltrace_exporter.panel.visits import Back, Name, Visiting, Words, go_back
from mltrace_exporter.queries.comparison import compare_runs, list_changes
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.store.database import open_snapshot
from mltrace_exporter.store.flags import read_flags
from mltrace_exporter.web import Writing
from mltrace_otel.contract.api import (
    FLAG_LIMIT,
    AspectChange,
    Comparison,
    Review,
    ReviewSort,
    UnflagRequest,
)

SHOWN = 200
"""Flags that a page lists."""

EXPLAINED = 3
"""Runs of which a page says at once what was different."""

router = APIRouter()
_LARGEST = 2**63 - 1
Id = Annotated[int, Query(ge=0, le=_LARGEST)]
Chosen = Annotated[list[Annotated[int, Query(ge=0, le=_LARGEST)]], Query(max_length=FLAG_LIMIT)]
Ticked = Annotated[list[Annotated[int, Form(ge=0, le=_LARGEST)]], Form(max_length=FLAG_LIMIT)]


@dataclass(frozen=True)
class ReviewContext:
    """The flagged outputs and the runs behind them, which are found when the page comes to them.

    Attributes:
        frame: what stands around.
        sort: which runs come first.
        only: ids of the flags that count; empty if all do.
        changed: a run of which is also said what was different.
        engine: of the database.
        shown: how many flags are listed, at most.
    """

    frame: Frame
    sort: ReviewSort
    only: frozenset[int]
    changed: int | None
    engine: sa.Engine
    shown: int = SHOWN

    @cached_property
    def _found(self) -> tuple[Review, dict[int, list[AspectChange]]]:
        with open_snapshot(self.engine) as connection:
            review = review_flags(connection, sort=self.sort, only=self.only)
            return review, _explain(connection, review, self.changed)

    @property
    def review(self) -> Review:
        """The answer."""
        return self._found[0]

    @property
    def changes(self) -> dict[int, list[AspectChange]]:
        """What was different, by the number of the run, for those of which it is said."""
        return self._found[1]


@dataclass(frozen=True, slots=True)
class ChangesContext:
    """What differs between two runs, in sentences."""

    frame: Frame
    comparison: Comparison


@router.get(links.REVIEW)
def show_review(
    visit: Visiting,
    sort: ReviewSort = ReviewSort.COVERAGE,
    only: Chosen = [],  # noqa: B006 - FastAPI copies it
    changed: Id | None = None,
) -> StreamingResponse:
    """Show the flagged outputs, the runs they have in common, and what was different there."""
    frame = visit.frame("Review", Section.REVIEW)
    engine = visit.request.app.state.engine
    return stream_page(ReviewContext(frame, sort, frozenset(only), changed, engine))


def _explain(
    connection: sa.Connection, review: Review, chosen: int | None
) -> dict[int, list[AspectChange]]:
    """Return what changed in the first runs, and in a chosen one."""
    pairs = {
        each.run.id: (each.compare_to, each.run.id)
        for place, each in enumerate(review.candidates)
        if each.compare_to is not None and (place < EXPLAINED or each.run.id == chosen)
    }
    found = list_changes(connection, pairs.values())
    return {run_id: found[pair] for run_id, pair in pairs.items()}


@router.get(links.CHANGES)
def show_changes(visit: Visiting, a: Name, b: Name) -> HTMLResponse:
    """Show in a few sentences what differs between run ``a`` and the later run ``b``."""
    comparison = compare_runs(visit.connection, a, b)
    return render_page(ChangesContext(visit.frame("What changed"), comparison))


@router.post(links.REVIEW)
def choose_flags(
    visit: Visiting,
    sort: Annotated[ReviewSort, Form()] = ReviewSort.COVERAGE,
    only: Ticked = [],  # noqa: B006 - FastAPI copies it
) -> RedirectResponse:
    """Lead to the review of some flags; of all, if all are chosen or none."""
    count = visit.frame("").open_flags
    return redirect(links.to_review(sort, only if len(only) != count else ()))


@router.post(links.RESOLVE)
def resolve_flags(
    connection: Writing,
    only: Ticked = [],  # noqa: B006 - FastAPI copies it
    reason: Words = "",
    by: Words = "",
    back: Back = links.REVIEW,
) -> RedirectResponse:
    """Resolve the chosen flags, then go back to the page that the form stood on."""
    outputs = [row.output for row in read_flags(connection, only) if row.resolved_at is None]
    if not outputs:
        raise MalformedRequest("No open flag was chosen: tick those that are resolved.")
    request = UnflagRequest(outputs, resolution=reason.strip() or None, by=by.strip() or None)
    marks.resolve_flags(connection, request)
    return go_back(back)
