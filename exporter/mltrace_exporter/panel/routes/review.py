"""What flagged outputs have in common."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries.review import review_flags
from mltrace_otel.contract.api import Review, ReviewSort

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """The flagged outputs and the runs behind them."""

    frame: Frame
    review: Review


@router.get(links.REVIEW)
def show_review(visit: Visiting, sort: ReviewSort = ReviewSort.COVERAGE) -> HTMLResponse:
    """Show the flagged outputs and the runs they have in common."""
    answer = review_flags(visit.connection, sort=sort)
    return render_page(ReviewContext(visit.frame("Review", Section.REVIEW), answer))
