"""Asks the exporter's HTTP API. In: plain values. Out: the shapes of `contract.api`.

The command line and the client's query functions call it. Methods have the names of the exporter's
queries.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import httpx
import msgspec

from mltrace_otel.contract.api import (
    Alert,
    CaseHistory,
    Cleaned,
    CleanRequest,
    Comparison,
    Component,
    ComponentRequest,
    ComponentTrace,
    Drift,
    Flag,
    FlagChange,
    FlagRequest,
    FlagState,
    MetricHistory,
    Note,
    NotePage,
    NoteRequest,
    PointerHistory,
    Problem,
    Review,
    ReviewSort,
    Run,
    RunCount,
    RunOrder,
    RunPage,
    RunProfile,
    RunStatus,
    SearchAnswer,
    Tag,
    TagRequest,
    Trace,
    UnflagRequest,
)
from mltrace_otel.errors import ApiError, NotFound, RequestRefused, ServerFailed, ServerUnreachable
from mltrace_otel.settings import read_settings

_Shape = TypeVar("_Shape")
_Named = TypeVar("_Named", Component, Tag)
_PAGE = 1000
_CONNECT_TIMEOUT_S = 5.0


class Selected(TypedDict, total=False):
    """Which runs, and in which order; what is None or left out selects nothing."""

    component: str | None
    tag: str | None
    owner: str | None
    partition: str | None
    status: RunStatus | None
    since: datetime | None
    until: datetime | None
    flagged: bool | None
    order: RunOrder
    skip: int


class Reach(TypedDict, total=False):
    """How far a lineage is followed: how many edges, to how many runs; the nearest are returned."""

    depth: int | None
    limit: int


class ApiClient:
    """A connection to the server at ``address``, a URL.

    Every method may raise ServerUnreachable, and ServerFailed if what answers is broken or no
    mltrace server. Those that name a thing raise NotFound if nobody has recorded it.
    """

    def __init__(self, address: str, timeout_s: float = 60.0) -> None:
        self.address = address
        self._http = httpx.Client(
            base_url=address,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_TIMEOUT_S)),
            # To read the certificates takes longer than to ask.
            verify=address.startswith("https:"),
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
        self, *, limit: int = 20, before: str | None = None, **selected: Unpack[Selected]
    ) -> RunPage:
        """Return runs, newest first if nothing else is asked.

        ``before`` is the ``next_cursor`` of the page before, or the number of a run.
        """
        return self._get(RunPage, "/api/runs", limit=limit, before=before, **_plain(selected))

    def count_runs(self, **selected: Unpack[Selected]) -> int:
        """Return how many runs there are."""
        return self._get(RunCount, "/api/runs/count", **_plain(selected)).count

    def get_run(self, ref: str) -> Run:
        """Return the run with a number, or with a span id that begins so."""
        return self._get(Run, f"/api/runs/{_segment(ref)}")

    def list_changes(self, ref: str, *, since: str | None = None) -> Comparison:
        """Return what differs between a run and another; if not said, its component's before."""
        return self._get(Comparison, f"/api/runs/{_segment(ref)}/changes", since=since)

    def tell_drift(self, ref: str, *, reference: str | None = None) -> Drift:
        """Return what became of a run's variables since those that it is compared with."""
        return self._get(Drift, f"/api/runs/{_segment(ref)}/drift", reference=reference)

    def list_notes(self, ref: str, *, limit: int = 20, before: str | None = None) -> NotePage:
        """Return notes about a run, newest first."""
        path = f"/api/runs/{_segment(ref)}/notes"
        return self._get(NotePage, path, limit=limit, before=before)

    def write_note(self, ref: str, request: NoteRequest) -> Note:
        """Keep a note about a run."""
        return self._send(Note, "POST", f"/api/runs/{_segment(ref)}/notes", request)

    def list_components(
        self, *, tag: str | None = None, owner: str | None = None
    ) -> list[Component]:
        """Return all components by name, those with the tag and of the owner."""
        return self._read_all(Component, "/api/components", tag=tag, owner=owner)

    def get_component(self, name: str) -> Component:
        """Return one component."""
        return self._get(Component, f"/api/components/{_segment(name)}")

    def list_tests(self, component: str, *, limit: int = 20) -> list[CaseHistory]:
        """Return what each test of a component found in its newest runs."""
        path = f"/api/components/{_segment(component)}/tests"
        return self._get(list[CaseHistory], path, limit=limit)

    def list_run_profiles(self, ref: str) -> list[RunProfile]:
        """Return how a run's inputs and outputs were distributed, outputs first."""
        return self._get(list[RunProfile], f"/api/runs/{_segment(ref)}/profiles")

    def list_profiles(
        self,
        component: str,
        *,
        variable: str | None = None,
        direction: str | None = None,
        limit: int = 20,
    ) -> list[RunProfile]:
        """Return how a component's inputs and outputs were distributed, newest run first."""
        path = f"/api/components/{_segment(component)}/profiles"
        asked = {"variable": variable, "direction": direction}
        return self._get(list[RunProfile], path, limit=limit, **asked)

    def list_metrics(
        self, component: str, *, metric: str | None = None, limit: int = 20
    ) -> list[MetricHistory]:
        """Return the metrics of a component's newest runs, each newest first."""
        path = f"/api/components/{_segment(component)}/metrics"
        return self._get(list[MetricHistory], path, metric=metric, limit=limit)

    def list_tags(self) -> list[Tag]:
        """Return all tags by name."""
        return self._read_all(Tag, "/api/tags")

    def list_tagged(self, tag: str) -> list[Component]:
        """Return the components that carry a tag."""
        return self._read_all(Component, f"/api/tags/{_segment(tag)}")

    def describe_component(self, name: str, request: ComponentRequest) -> Component:
        """Say something about a component, which need not have run yet."""
        return self._send(Component, "PUT", f"/api/components/{_segment(name)}", request)

    def tag_component(self, request: TagRequest) -> Component:
        """Give a component tags besides those it has."""
        return self._send(Component, "POST", "/api/tags", request)

    def trace_output(self, output: str, **reach: Unpack[Reach]) -> Trace:
        """Return everything upstream of the run that last wrote ``output``."""
        return self._get(Trace, "/api/trace", output=output, **reach)

    def trace_components(self, output: str, **reach: Unpack[Reach]) -> ComponentTrace:
        """Return the components upstream of the run that last wrote ``output``."""
        return self._get(ComponentTrace, "/api/trace/components", output=output, **reach)

    def impact_output(self, output: str, **reach: Unpack[Reach]) -> Trace:
        """Return everything that was made from ``output``."""
        return self._get(Trace, "/api/impact", output=output, **reach)

    def impact_components(self, output: str, **reach: Unpack[Reach]) -> ComponentTrace:
        """Return the components that made something from ``output``."""
        return self._get(ComponentTrace, "/api/impact/components", output=output, **reach)

    def get_pointer(self, name: str, *, limit: int = 20) -> PointerHistory:
        """Return who wrote and who read a pointer, newest first, and its flags."""
        return self._get(PointerHistory, f"/api/pointers/{_segment(name)}", limit=limit)

    def search(self, text: str, *, limit: int = 20) -> SearchAnswer:
        """Return components, names of inputs and outputs, and notes that hold the words."""
        return self._get(SearchAnswer, "/api/search", q=text, limit=limit)

    def clean(self, request: CleanRequest) -> Cleaned:
        """Delete everything, if the server allows it."""
        return self._send(Cleaned, "DELETE", "/api/data", request)

    def list_flags(
        self,
        *,
        state: FlagState = FlagState.OPEN,
        before: int | None = None,
        limit: int = 20,
    ) -> list[Flag]:
        """Return flags, newest first; ``before`` is the last id of the page before."""
        return self._get(list[Flag], "/api/flags", state=state, before=before, limit=limit)

    def flag_outputs(self, request: FlagRequest) -> FlagChange:
        """Flag outputs; if one is unknown, none is flagged."""
        return self._send(FlagChange, "POST", "/api/flags", request)

    def resolve_flags(self, request: UnflagRequest) -> FlagChange:
        """Resolve the flags of some outputs, or of all."""
        return self._send(FlagChange, "POST", "/api/flags/resolve", request)

    def list_alerts(self, *, owner: str | None = None) -> list[Alert]:
        """Return what fires now, the most severe first, for components of the owner."""
        return self._get(list[Alert], "/api/alerts", owner=owner)

    def review_flags(self, *, sort: ReviewSort = ReviewSort.COVERAGE, limit: int = 20) -> Review:
        """Return the runs that the flagged outputs have in common, ranked."""
        return self._get(Review, "/api/review", sort=sort, limit=limit)

    def _read_all(self, shape: type[_Named], path: str, **query: str | None) -> list[_Named]:
        """Return all pages of a list by name."""
        items: list[_Named] = []
        while True:
            after = items[-1].name if items else None
            page = self._get(list[shape], path, after=after, limit=_PAGE, **query)  # type: ignore[valid-type] # msgspec reads it
            items += page
            if len(page) < _PAGE:
                return items

    def _get(self, shape: type[_Shape], path: str, **query: str | int | None) -> _Shape:
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask(shape, self._http.build_request("GET", path, params=given))

    def _send(self, shape: type[_Shape], method: str, path: str, body: object) -> _Shape:
        headers = {"content-type": "application/json"}
        content = msgspec.json.encode(body)
        return self._ask(
            shape, self._http.build_request(method, path, content=content, headers=headers)
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


def _plain(selected: Selected) -> dict[str, str | int | None]:
    """Return a selection as it stands in an address."""
    query: dict[str, str | int | None] = {}
    for key, value in selected.items():
        if isinstance(value, datetime):
            query[key] = (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        elif value is not None and value is not False:
            query[key] = value if isinstance(value, int) else str(value)
    return query


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


@contextmanager
def connect(timeout_s: float = 60.0) -> Iterator[ApiClient]:
    """Open a connection to the server that the settings name."""
    with ApiClient(read_settings().api_url, timeout_s) as api:
        yield api
