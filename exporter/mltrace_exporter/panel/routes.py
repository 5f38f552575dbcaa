"""The panel's addresses: what each page asks of the queries. A GET changes nothing."""

from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from mltrace_exporter import marks
from mltrace_exporter.panel import contexts, links, security
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.highlight import highlight_code
from mltrace_exporter.panel.rendering import redirect, render_page
from mltrace_exporter.panel.tree import grow_tree
from mltrace_exporter.queries import components, flags, lineage, review, runs
from mltrace_exporter.web import Reading, Writing
from mltrace_otel.contract.api import FlagRequest, ReviewSort, UnflagRequest

PAGE_SIZE = 25

router = APIRouter(dependencies=[Depends(security.refuse_cross_site)], include_in_schema=False)

# PostgreSQL stores no NUL, so that nothing is found by a name that holds one.
_STORABLE = "^[^\0]*$"
Name = Annotated[str, Query(pattern=_STORABLE)]
Words = Annotated[str, Form(max_length=2000, pattern=_STORABLE)]


@router.get(links.RECENT)
def show_recent(connection: Reading, before: str | None = None) -> HTMLResponse:
    """Show the newest runs of all components."""
    page = runs.list_runs(connection, limit=PAGE_SIZE, before=before)
    frame = _frame(connection, "Recent runs", Section.RECENT)
    return render_page(contexts.RecentContext(frame, page, is_first_page=before is None))


@router.get(links.RUN)
def show_run(connection: Reading, ref: str) -> HTMLResponse:
    """Show one run with everything known about it."""
    run = runs.get_run(connection, ref)
    frame = _frame(connection, f"{run.summary.component} {run.summary.id}")
    code = highlight_code(run.code, run.code_file, run.code_line) if run.code else None
    return render_page(contexts.RunContext(frame, run, code))


@router.get(links.TRACE)
def show_trace(connection: Reading, output: str = "") -> HTMLResponse:
    """Show every run behind an output; without an output, ask for one."""
    trace = lineage.trace_output(connection, output) if output else None
    frame = _frame(connection, f"Trace of {output}" if output else "Trace", output=output)
    tree = grow_tree(trace) if trace else None
    return render_page(contexts.TraceContext(frame, trace, tree))


@router.get(links.REVIEW)
def show_review(connection: Reading, sort: ReviewSort = ReviewSort.COVERAGE) -> HTMLResponse:
    """Show the flagged outputs and the runs they have in common."""
    answer = review.review_flags(connection, sort=sort)
    frame = _frame(connection, "Review", Section.REVIEW)
    return render_page(contexts.ReviewContext(frame, answer))


@router.get(links.COMPONENTS)
def show_components(connection: Reading) -> HTMLResponse:
    """Show all components and tags."""
    known, tags = components.list_components(connection), components.list_tags(connection)
    frame = _frame(connection, "Components", Section.COMPONENTS)
    return render_page(contexts.ComponentsContext(frame, known, tags))


@router.get(links.COMPONENT)
def show_component(connection: Reading, name: Name, before: str | None = None) -> HTMLResponse:
    """Show a component and its history."""
    component = components.get_component(connection, name)
    history = runs.list_runs(
        connection, runs.Selection(component=name), limit=PAGE_SIZE, before=before
    )
    frame = _frame(connection, name, Section.COMPONENTS)
    first = before is None
    return render_page(contexts.ComponentContext(frame, component, history, is_first_page=first))


@router.get(links.TAG)
def show_tag(connection: Reading, name: Name) -> HTMLResponse:
    """Show the components that carry a tag, and their newest runs."""
    tagged = components.list_tagged(connection, name)
    newest = runs.list_runs(connection, runs.Selection(tag=name), limit=PAGE_SIZE)
    frame = _frame(connection, f"Tag {name}", Section.COMPONENTS)
    return render_page(contexts.TagContext(frame, name, tagged, newest))


@router.post(links.FLAG)
def flag_output(
    connection: Writing, output: Words, back: Words = links.REVIEW, reason: Words = ""
) -> RedirectResponse:
    """Flag an output, then go back to the page that the form stood on."""
    marks.flag_outputs(connection, FlagRequest([output], reason.strip() or None))
    return _go_back(back)


@router.post(links.UNFLAG)
def unflag_output(
    connection: Writing, output: Words, back: Words = links.REVIEW
) -> RedirectResponse:
    """Resolve the flag of an output, then go back to the page that the form stood on."""
    marks.resolve_flags(connection, UnflagRequest([output]))
    return _go_back(back)


def _go_back(address: str) -> RedirectResponse:
    return redirect(address if links.is_local(address) else links.REVIEW)


def _frame(
    connection: sa.Connection, title: str, section: Section | None = None, output: str = ""
) -> Frame:
    return Frame(title, datetime.now(UTC), section, flags.count_flags(connection), output)
