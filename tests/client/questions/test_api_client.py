from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from builders import make_run, wrote
from fastapi import FastAPI
from serving import serve, serve_api

from mltrace_exporter.model import Words
from mltrace_exporter.store.database import open_engine
from mltrace_otel.contract.api import FlagRequest, UnflagRequest
from mltrace_otel.errors import NotFound, RequestRefused, ServerFailed, ServerUnreachable
from mltrace_otel.questions.api_client import ApiClient


@pytest.fixture
def api(engine: sa.Engine) -> Iterator[ApiClient]:
    with serve_api(engine) as url, ApiClient(url) as client:
        yield client


@pytest.mark.parametrize("name", ["a/b", "..", "../runs", "a b?c#d%2F", "ünï", "."])
def test_any_name_arrives_whole(api: ApiClient, record: Callable[..., None], name: str) -> None:
    record(make_run(name, words=Words(None, None, (name,)), io=[wrote(name)]))

    assert api.get_component(name).name == name
    assert api.list_tagged(name)[0].tags == [name]
    assert api.trace_output(name).output == name
    assert api.list_runs(component=name).items[0].outputs == [name]


def test_pages_follow_each_other(api: ApiClient, record: Callable[..., None]) -> None:
    record(*(make_run(start=number) for number in range(5)))

    first = api.list_runs(limit=3)
    rest = api.list_runs(limit=3, before=first.next_cursor)

    assert [run.id for run in (*first.items, *rest.items)] == [5, 4, 3, 2, 1]
    assert first.items[0].started_at.utcoffset() is not None


def test_flags_come_and_go(api: ApiClient, record: Callable[..., None]) -> None:
    record(make_run(io=[wrote("p")]))

    assert api.flag_outputs(FlagRequest(["p"], reason="bad")).changed[0].reason == "bad"
    assert api.list_flags()[0].output == "p"
    assert api.review_flags().candidates[0].coverage == 1
    assert api.resolve_flags(UnflagRequest(all=True)).changed[0].resolved_at is not None
    assert api.list_flags() == []


def test_each_failure_has_its_error(api: ApiClient) -> None:
    with pytest.raises(NotFound, match="no run 7"):
        api.get_run("7")
    with pytest.raises(RequestRefused, match="limit in the query"):
        api.list_runs(limit=0)


def test_a_server_without_database_has_failed() -> None:
    nowhere = open_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    with (
        serve_api(nowhere) as url,
        ApiClient(url) as client,
        pytest.raises(ServerFailed, match="database"),
    ):
        client.list_tags()


def test_something_else_at_the_address_is_told() -> None:
    app = FastAPI()
    app.get("/api/tags")(lambda: {"hello": "world"})
    with serve(app) as url, ApiClient(url) as client:
        with pytest.raises(ServerFailed, match="not as an mltrace server"):
            client.list_tags()
        with pytest.raises(ServerFailed, match="not as an mltrace server"):
            client.list_components()


def test_a_server_that_takes_too_long_is_told(engine: sa.Engine) -> None:
    with (
        serve_api(engine) as url,
        ApiClient(url, timeout_s=1e-9) as client,
        pytest.raises(ServerUnreachable, match="took too long"),
    ):
        client.list_tags()


def test_a_proxy_is_not_asked_for_this_machine(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with serve_api(engine) as url, ApiClient(url) as client:
        assert client.list_tags() == []
