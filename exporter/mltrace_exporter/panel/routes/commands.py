"""The command bar: what a line asks for is done or shown."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from mltrace_exporter import marks
from mltrace_exporter.errors import ExporterError, Forbidden, NotFound
from mltrace_exporter.panel import links, security
from mltrace_exporter.panel.commands import (
    COMMANDS,
    READING_COMMANDS,
    Command,
    Order,
    parse_line,
)
from mltrace_exporter.panel.completions import complete_line
from mltrace_exporter.panel.contexts import Frame
from mltrace_exporter.panel.rendering import redirect, render_page
from mltrace_exporter.panel.visits import Back, Visiting, make_frame
from mltrace_exporter.queries.components import require_component, require_tag
from mltrace_exporter.store.pointers import find_unknown
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.web import Reading, open_reading, open_writing
from mltrace_otel.contract.api import FlagRequest, UnflagRequest

_LINE_LIMIT = 4000
_JSON = "application/json"
_STATUSES: dict[type[ExporterError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
}

router = APIRouter()
Line = Annotated[str, Form(max_length=_LINE_LIMIT, pattern="^[^\0]*$")]
Draft = Annotated[str, Query(max_length=_LINE_LIMIT, pattern="^[^\0]*$")]


@dataclass(frozen=True, slots=True)
class HelpContext:
    """The commands; ``back`` is the page that somebody came from."""

    frame: Frame
    commands: tuple[Command, ...]
    back: str


@router.get(links.HELP)
def show_help(visit: Visiting) -> HTMLResponse:
    """Show the commands."""
    return render_page(HelpContext(visit.frame("Help"), _offer(visit.request), links.RECENT))


@router.post(links.COMMAND)
def run_command(request: Request, line: Line = "", back: Back = links.RECENT) -> Response:
    """Do what a line asks for and lead to the page that shows it, or say what is wrong with it.

    A script gets the page's address, or what is wrong, as JSON.
    """
    wants_json = _JSON in request.headers.get("accept", "")
    try:
        order = parse_line(line)
        connect = open_writing if order.command.writes else open_reading
        with connect(request) as connection:
            address = _follow(connection, order)
    except ExporterError as error:
        status = _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)
        if wants_json:
            return _answer_json({"complaint": str(error)}, status)
        frame = replace(make_frame(request, "Help"), line=line, complaint=str(error))
        back = back if links.is_local(back) else links.RECENT
        return render_page(HelpContext(frame, _offer(request), back), status)
    return _answer_json({"address": address}) if wants_json else redirect(address)


@router.get(links.COMPLETIONS)
def list_completions(request: Request, connection: Reading, line: Draft = "") -> JSONResponse:
    """Return what a line could become, for the script of the command bar."""
    return _answer_json([asdict(one) for one in complete_line(connection, line, _offer(request))])


def _offer(request: Request) -> tuple[Command, ...]:
    return READING_COMMANDS if request.app.state.read_only else COMMANDS


def _answer_json(content: object, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status, headers=security.HEADERS)


def _follow(connection: sa.Connection, order: Order) -> str:
    """Do what is asked, if it is known, and return the address that shows it."""
    page = _PAGES.get(order.command.word)
    return page or _FOLLOWERS[order.command.word](connection, order)


def _show_history(connection: sa.Connection, order: Order) -> str:
    require_component(connection, order.argument)
    return links.to_component(order.argument, limit=order.amount)


def _inspect(connection: sa.Connection, order: Order) -> str:
    return links.to_run(resolve_run(connection, order.argument))


def _show_tag(connection: sa.Connection, order: Order) -> str:
    require_tag(connection, order.argument)
    return links.to_tag(order.argument)


def _flag(connection: sa.Connection, order: Order) -> str:
    marks.flag_outputs(connection, FlagRequest([order.argument]))
    return links.to_output(order.argument)


def _unflag(connection: sa.Connection, order: Order) -> str:
    marks.resolve_flags(connection, UnflagRequest([order.argument]))
    return links.to_output(order.argument)


def _lead_to(address: Callable[[str], str]) -> Callable[[sa.Connection, Order], str]:
    def follow(connection: sa.Connection, order: Order) -> str:
        if find_unknown(connection, [order.argument]):
            raise NotFound(f"No recorded run read or wrote {order.argument!r}.")
        return address(order.argument)

    return follow


_PAGES = {
    "recent": links.RECENT,
    "review": links.REVIEW,
    "flags": links.FLAGS,
    "tests": links.TESTS,
    "components": links.COMPONENTS,
    "status": links.STATUS,
    "help": links.HELP,
}
_FOLLOWERS: dict[str, Callable[[sa.Connection, Order], str]] = {
    "history": _show_history,
    "inspect": _inspect,
    "output": _lead_to(links.to_output),
    "trace": _lead_to(links.to_trace),
    "impact": _lead_to(links.to_impact),
    "tag": _show_tag,
    "flag": _flag,
    "unflag": _unflag,
    "search": lambda _connection, order: links.to_search(order.argument),
}
