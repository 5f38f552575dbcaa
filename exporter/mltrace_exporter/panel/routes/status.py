"""How the exporter is, and what fires."""

import importlib.metadata
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from mltrace_exporter import metrics
from mltrace_exporter.monitoring.poller import Poller, State
from mltrace_exporter.panel import links
from mltrace_exporter.panel.attention import Attention, read_attention
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.rendering import render_page
from mltrace_exporter.panel.visits import Visiting
from mltrace_exporter.queries.dead_letters import list_dead_letters
from mltrace_exporter.store.database import DatabaseFacts, read_facts
from mltrace_otel.contract.api import DeadLetterPage

LETTERS = 10

router = APIRouter()


@dataclass(frozen=True, slots=True)
class StatusContext:
    """How the exporter is.

    Attributes:
        frame: what stands around.
        attention: what fires.
        version: of the exporter.
        database: what its database says of itself.
        totals: runs that were ever stored, by how they ended.
        polled_at: when the database was last read for metrics; None if never.
        state: how that went.
        series_limit: how many series there may be.
        letters: the newest spans that could not be stored.
    """

    frame: Frame
    attention: Attention
    version: str
    database: DatabaseFacts
    totals: dict[str, int]
    polled_at: datetime | None
    state: State
    series_limit: int
    letters: DeadLetterPage


@router.get(links.STATUS)
def show_status(visit: Visiting) -> HTMLResponse:
    """Show how the exporter is, and what fires."""
    poller: Poller = visit.request.app.state.poller
    state = poller.tell()
    taken_s = state.snapshot.taken_s
    context = StatusContext(
        frame=visit.frame("Status", Section.STATUS),
        attention=read_attention(visit.request),
        version=importlib.metadata.version("mltrace-otel"),
        database=read_facts(visit.connection),
        totals=_sum_runs(state),
        polled_at=datetime.fromtimestamp(taken_s, UTC) if taken_s else None,
        state=state,
        series_limit=poller.series_limit,
        letters=list_dead_letters(visit.connection, limit=LETTERS),
    )
    return render_page(context)


def _sum_runs(state: State) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (_, outcome), total in state.snapshot.values.get(metrics.RUNS, {}).items():
        if isinstance(total, float):
            sums[outcome] = sums.get(outcome, 0) + int(total)
    return sums
