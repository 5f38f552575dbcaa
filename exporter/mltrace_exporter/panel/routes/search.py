"""What holds some words."""

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from mltrace_exporter.errors import NotFound
from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.queries.search import search
from mltrace_exporter.store.refs import resolve_run
from mltrace_otel.contract.api import RunSummary, SearchAnswer

LIMIT = 30

router = APIRouter()
Question = Annotated[str, Query(max_length=1000, pattern="^[^\0]*$")]


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What was found; ``run`` is one that answers to the words as its id. None if not asked."""

    frame: Frame
    text: str
    answer: SearchAnswer | None
    run: RunSummary | None


@router.get(links.SEARCH)
def show_search(visit: Visiting, q: Question = "") -> HTMLResponse:
    """Show components, inputs and outputs, notes and the run that answer to some words."""
    text = q.strip()
    answer = search(visit.connection, text, limit=LIMIT) if text else None
    run = _find_run(visit.connection, text)
    frame = visit.frame(f"Search for {text}" if text else "Search", Section.SEARCH)
    return render_page(SearchContext(frame, text, answer, run))


def _find_run(connection: sa.Connection, text: str) -> RunSummary | None:
    if not text.isalnum():
        return None
    try:
        run_id = resolve_run(connection, text)
    except NotFound:
        return None
    return summarise(connection, [run_id])[run_id]
