"""Every error of the API as ``application/problem+json``. In: an exception. Out: a response.

One of the three tables that turn errors into answers. Source: RFC 9457.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg2.errors import SerializationFailure
from pydantic import TypeAdapter
from sqlalchemy.exc import InterfaceError, InternalError, NotSupportedError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from mltrace_exporter.errors import (
    ExporterError,
    Forbidden,
    MalformedRequest,
    NotFound,
    RequestTooLarge,
    Unavailable,
    UnsupportedEncoding,
)
from mltrace_otel.contract.api import Problem

MEDIA_TYPE = "application/problem+json"
Documented = dict[int | str, dict[str, Any]]


def _document(status: int | str, meaning: str) -> Documented:
    content = {MEDIA_TYPE: {"schema": TypeAdapter(Problem).json_schema()}}
    return {status: {"description": meaning, "content": content}}


# What OpenAPI says about errors: of every route, and of those that can have them.
ALWAYS = {
    **_document("default", "Any other error"),
    **_document(400, "The request cannot be understood"),
    **_document(422, "The request makes no sense"),
    **_document(503, "The database does not answer now; the same request can pass later"),
}
MAY_BE_MISSING = _document(404, "Nobody has recorded what was asked for")
MAY_BE_FORBIDDEN = _document(403, "This server does not allow it")

_STATUSES: dict[type[Exception], HTTPStatus] = {
    Forbidden: HTTPStatus.FORBIDDEN,
    MalformedRequest: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedEncoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
# A database that has become a replica, or has new tables, says the third and fourth.
_DATABASE_ERRORS = (OperationalError, InterfaceError, InternalError, NotSupportedError, PoolTimeout)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


def install(app: FastAPI) -> None:
    """Let ``app`` answer every error under ``/api`` with a problem.

    Elsewhere ``app.state.render_error(request, status, title, detail)`` answers, if set.
    """
    for kind in (
        ExporterError,
        HTTPException,
        RequestValidationError,
        *_DATABASE_ERRORS,
        Exception,
    ):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    answer = _describe(request, error)
    title = HTTPStatus(answer.status).phrase
    render = getattr(request.app.state, "render_error", None)
    if render is None or _is_api(request):
        problem = Problem(title=title, status=answer.status, detail=answer.detail)
        return JSONResponse(asdict(problem), answer.status, answer.headers, MEDIA_TYPE)
    response: Response = render(request, answer.status, title, answer.detail)
    response.headers.update(answer.headers)
    return response


def _is_api(request: Request) -> bool:
    return f"{request.url.path}/".startswith("/api/")


def _describe(request: Request, error: Exception) -> _Answer:
    if isinstance(error, HTTPException):
        return _Answer(error.status_code, _explain(request, error), error.headers or {})
    if isinstance(error, RequestValidationError):
        sentences = "; ".join(_complain(fault) for fault in error.errors())
        return _Answer(HTTPStatus.UNPROCESSABLE_ENTITY, sentences)
    if isinstance(error, _DATABASE_ERRORS):
        error = Unavailable(_explain_loss(error))
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        return _Answer(500, "The exporter failed; its log says why.")
    wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
    return _Answer(status, str(error), {} if wait_s is None else {"retry-after": f"{wait_s:.0f}"})


def _explain_loss(error: Exception) -> str:
    if isinstance(getattr(error, "orig", None), SerializationFailure):
        return "What was read was changed meanwhile, on a replica by its primary. Try again soon."
    return "The database does not answer now. Try again soon."


def _explain(request: Request, error: HTTPException) -> str:
    path = request.url.path
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {path}."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "nothing")
        return f"{request.method} is not possible at {path}, possible is {allowed}."
    return error.detail


def _complain(fault: Mapping[str, Any]) -> str:
    """Say what is wrong, e.g. "limit in the query: Input should be greater than 0"."""
    place, *path = fault["loc"]
    what = fault["msg"].removeprefix("Value error, ")
    where = ".".join(str(step) for step in path)
    return f"{where} in the {place}: {what}" if where else f"{place}: {what}"
