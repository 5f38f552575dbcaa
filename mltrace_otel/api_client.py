"""Asks the exporter's HTTP API. In: plain values. Out: the shapes of `contract.api`.

The command line and the client's query functions call it. Methods have the names of the exporter's
queries.
"""

import re
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from mltrace_otel.contract.api import (
    Component,
    Flag,
    FlagChange,
    FlagRequest,
    Problem,
    Review,
    ReviewSort,
    Run,
    RunPage,
    Tag,
    Trace,
    UnflagRequest,
)
from mltrace_otel.errors import ApiError, NotFound, RequestRefused, ServerFailed, ServerUnreachable

_Shape = TypeVar("_Shape")
_CONNECT_TIMEOUT_S = 5.0


class ApiClient:
    """A connection to the server at ``address``, a URL.

    Every method may raise ServerUnreachable, and ServerFailed if what answers is broken or no
    mltrace server. Those that name a thing raise NotFound if nobody has recorded it.
    """

    def __init__(self, address: str, timeout_s: float = 60.0) -> None:
        self.address = address
        self._http = httpx.Client(
            base_url=address,
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_TIMEOUT_S),
            # A proxy that the environment names cannot reach this machine.
            mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def list_runs(
        self,
        *,
        component: str | None = None,
        tag: str | None = None,
        limit: int = 20,
        before: str | None = None,
    ) -> RunPage:
        """Return runs, newest first; ``before`` is the ``next_cursor`` of the page before."""
        query = {"component": component, "tag": tag, "limit": limit, "before": before}
        return self._get(RunPage, "/api/runs", **query)

    def get_run(self, ref: str) -> Run:
        """Return the run with a number, or with a span id that begins so."""
        return self._get(Run, f"/api/runs/{_segment(ref)}")

    def list_components(self) -> list[Component]:
        """Return all components by name."""
        return self._get(list[Component], "/api/components")

    def get_component(self, name: str) -> Component:
        """Return one component."""
        return self._get(Component, f"/api/components/{_segment(name)}")

    def list_tags(self) -> list[Tag]:
        """Return all tags by name."""
        return self._get(list[Tag], "/api/tags")

    def list_tagged(self, tag: str) -> list[Component]:
        """Return the components that carry a tag."""
        return self._get(list[Component], f"/api/tags/{_segment(tag)}")

    def trace_output(self, output: str) -> Trace:
        """Return everything upstream of the run that last wrote ``output``."""
        return self._get(Trace, "/api/trace", output=output)

    def list_flags(self, *, limit: int = 20) -> list[Flag]:
        """Return the flags that are open, newest first."""
        return self._get(list[Flag], "/api/flags", limit=limit)

    def flag_outputs(self, request: FlagRequest) -> FlagChange:
        """Flag outputs; if one is unknown, none is flagged."""
        return self._post(FlagChange, "/api/flags", request)

    def resolve_flags(self, request: UnflagRequest) -> FlagChange:
        """Resolve the flags of some outputs, or of all."""
        return self._post(FlagChange, "/api/flags/resolve", request)

    def review_flags(self, *, sort: ReviewSort = ReviewSort.COVERAGE, limit: int = 20) -> Review:
        """Return the runs that the flagged outputs have in common, ranked."""
        return self._get(Review, "/api/review", sort=sort, limit=limit)

    def _get(self, shape: type[_Shape], path: str, **query: str | int | None) -> _Shape:
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask(shape, self._http.build_request("GET", path, params=given))

    def _post(self, shape: type[_Shape], path: str, body: FlagRequest | UnflagRequest) -> _Shape:
        headers = {"content-type": "application/json"}
        content = msgspec.json.encode(body)
        return self._ask(
            shape, self._http.build_request("POST", path, content=content, headers=headers)
        )

    def _ask(self, shape: type[_Shape], request: httpx.Request) -> _Shape:
        try:
            response = self._http.send(request)
        except httpx.TransportError as error:
            raise ServerUnreachable(self.address, _explain(error)) from error
        try:
            if response.is_error:
                problem = msgspec.json.decode(response.content, type=Problem)
                raise _api_error(problem)
            return msgspec.json.decode(response.content, type=shape)
        except msgspec.DecodeError as error:
            raise ServerFailed(
                f"{self.address} answered (status {response.status_code}), but not as an mltrace "
                "server of this version does. Check --address or MLTRACE_ADDRESS."
            ) from error


def _segment(name: str) -> str:
    """Quote a name so that it stays one segment of the path; ``..`` would be resolved away."""
    return quote(name, safe="").replace(".", "%2E")


def _explain(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _api_error(problem: Problem) -> ApiError:
    if problem.status == httpx.codes.NOT_FOUND:
        return NotFound(problem.detail)
    if problem.status < httpx.codes.INTERNAL_SERVER_ERROR:
        return RequestRefused(problem.detail)
    return ServerFailed(problem.detail)
