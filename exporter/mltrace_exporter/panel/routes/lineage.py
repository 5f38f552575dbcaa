"""What led to an output or a run, and what it led to: as a page, as a picture, as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.panel import links, security
from mltrace_exporter.panel.contexts import Frame, Section
from mltrace_exporter.panel.graph.diagram import Box, Diagram, View, make_diagram
from mltrace_exporter.panel.graph.drawing import Drawing, draw
from mltrace_exporter.panel.graph.mermaid import write_mermaid
from mltrace_exporter.panel.graph.outline import Branch, grow_outline
from mltrace_exporter.panel.rendering import render_page, render_picture, stream_page
from mltrace_exporter.panel.visits import STORABLE, Name, Visiting
from mltrace_exporter.queries import lineage
from mltrace_exporter.queries.flags import find_flagged
from mltrace_exporter.queries.runs import find_run
from mltrace_exporter.queries.sketches import Sketch, sketch
from mltrace_exporter.store.database import open_snapshot
from mltrace_exporter.web import Reading

router = APIRouter()
Opened = Annotated[list[Annotated[str, Query(pattern=STORABLE)]] | None, Query()]


class Question:
    """What a lineage is asked of, and how it is to be shown."""

    def __init__(
        self, output: Name = "", run: Name = "", view: View | None = None, opened: Opened = None
    ) -> None:
        if output and run:
            raise MalformedRequest("Say what to begin at: give either `output` or `run`.")
        self.output, self.run = output or None, run or None
        self.view, self.opened = view, opened or []

    def address(self, path: str, view: View | None = None, opened: Sequence[str] = ()) -> str:
        """Return where the same is asked, as a trace or an impact, in another view."""
        return links.to_lineage(path, self.output, self.run, view, opened)

    def find_root(self, connection: sa.Connection) -> int | None:
        """Return the run that the answer begins at; None if nothing is asked.

        Raises:
            NotFound: there is none.
        """
        if self.run is not None:
            return find_run(connection, self.run)
        return None if self.output is None else lineage.find_writer(connection, self.output)

    def answer(self, connection: sa.Connection, path: str, root: int) -> "Answer":
        """Return the lineage of what is asked about, and what is drawn of it."""
        found = sketch(connection, _FOLLOW[path](connection, root, self.output))
        diagram = make_diagram(
            found,
            is_upstream=path == links.TRACE,
            flagged=find_flagged(connection, [run.id for run in found.runs]),
            view=self.view,
            opened=self.opened,
        )
        return Answer(found, diagram)

    def name(self, path: str) -> str:
        """Return what a page or a file with the answer is called."""
        return f"{_WORDS[path]} of {self.output or f'run {self.run}'}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A lineage, and what is drawn of it."""

    lineage: Sketch
    diagram: Diagram


_FOLLOW = {links.TRACE: lineage.follow_upstream, links.IMPACT: lineage.follow_downstream}
_WORDS: Mapping[str, str] = {links.TRACE: "Trace", links.IMPACT: "Impact"}
Asked = Annotated[Question, Depends()]


@dataclass(frozen=True, slots=True)
class AskContext:
    """The form that asks what a trace or an impact is to be found of."""

    frame: Frame
    path: str


@dataclass(frozen=True)
class LineageContext:
    """A trace or an impact, which is found when the page comes to it.

    Attributes:
        frame: what stands around.
        path: whether it is the one or the other.
        question: what was asked for.
        root: the run that it begins at.
        engine: of the database that it is found in.
    """

    frame: Frame
    path: str
    question: Question
    root: int
    engine: sa.Engine

    @cached_property
    def answer(self) -> Answer:
        """The lineage and what is drawn of it."""
        with open_snapshot(self.engine) as connection:
            return self.question.answer(connection, self.path, self.root)

    @cached_property
    def drawing(self) -> Drawing:
        """Where it is drawn."""
        return draw(self.answer.diagram)

    @cached_property
    def outline(self) -> Branch:
        """The same as a nested list."""
        return grow_outline(self.answer.diagram)

    def open(self, box: Box) -> str:
        """Return where a box leads: to its run, or to this page with its runs drawn apart."""
        return _open(self.question, self.path, box, self.answer.diagram)

    def close(self, component: str) -> str:
        """Return the address of this page with the runs of a component taken together again."""
        rest = [name for name in self.question.opened if name != component]
        return self.question.address(self.path, self.question.view, rest)

    def switch(self, path: str, view: View | None) -> str:
        """Return the address of the same lineage the other way, or in another view."""
        return self.question.address(path, view)

    def download(self, ending: str) -> str:
        """Return the address of what is shown as a file."""
        return self.question.address(
            f"{self.path}{ending}", self.question.view, self.question.opened
        )


@dataclass(frozen=True, slots=True)
class DrawingContext:
    """A drawing that stands for itself; ``host`` is put before the addresses in it."""

    question: Question
    path: str
    drawing: Drawing
    host: str

    def open(self, box: Box) -> str:
        """Return where a box leads."""
        return self.host + _open(self.question, self.path, box, self.drawing.diagram)


@router.get(links.TRACE)
def show_trace(visit: Visiting, question: Asked) -> Response:
    """Show every run behind an output or a run; without one, ask for it."""
    return _show(visit, question, links.TRACE)


@router.get(links.IMPACT)
def show_impact(visit: Visiting, question: Asked) -> Response:
    """Show every run that an output or a run led to; without one, ask for it."""
    return _show(visit, question, links.IMPACT)


@router.get(f"{links.TRACE}.svg")
def draw_trace(visit: Visiting, question: Asked) -> Response:
    """Answer with the picture of a trace as a file."""
    return _draw(visit, question, links.TRACE)


@router.get(f"{links.IMPACT}.svg")
def draw_impact(visit: Visiting, question: Asked) -> Response:
    """Answer with the picture of an impact as a file."""
    return _draw(visit, question, links.IMPACT)


@router.get(f"{links.TRACE}.mmd")
def write_trace(connection: Reading, question: Asked) -> Response:
    """Answer with a trace as a Mermaid flowchart."""
    return _write(connection, question, links.TRACE)


@router.get(f"{links.IMPACT}.mmd")
def write_impact(connection: Reading, question: Asked) -> Response:
    """Answer with an impact as a Mermaid flowchart."""
    return _write(connection, question, links.IMPACT)


def _show(visit: Visiting, question: Question, path: str) -> Response:
    root = question.find_root(visit.connection)
    if root is None:
        return render_page(AskContext(visit.frame("Lineage", Section.LINEAGE), path))
    frame = visit.frame(question.name(path), Section.LINEAGE)
    engine = visit.request.app.state.engine
    return stream_page(LineageContext(frame, path, question, root, engine))


def _draw(visit: Visiting, question: Question, path: str) -> Response:
    diagram = _require_diagram(visit.connection, question, path)
    host = str(visit.request.base_url).rstrip("/")
    return render_picture(
        DrawingContext(question, path, draw(diagram), host), _name_file(path, ".svg")
    )


def _write(connection: sa.Connection, question: Question, path: str) -> Response:
    diagram = _require_diagram(connection, question, path)
    headers = {"content-disposition": f'attachment; filename="{_name_file(path, ".mmd")}"'}
    media_type = "text/vnd.mermaid; charset=utf-8"
    return Response(write_mermaid(diagram), 200, headers | security.HEADERS, media_type)


def _name_file(path: str, ending: str) -> str:
    return f"{path.removeprefix('/')}{ending}"


def _require_diagram(connection: sa.Connection, question: Question, path: str) -> Diagram:
    root = question.find_root(connection)
    if root is None:
        raise MalformedRequest("Say what to begin at: give either `output` or `run`.")
    return question.answer(connection, path, root).diagram


def _open(question: Question, path: str, box: Box, diagram: Diagram) -> str:
    if not box.is_group:
        return links.to_run(box.run.id)
    return question.address(path, diagram.view, [*diagram.opened, box.component])
