from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import serve, serve_api

from mltrace_exporter import errors
from mltrace_exporter.api import problems
from mltrace_exporter.store.database import open_engine
from mltrace_otel.contract import api as contract


def assert_problem(answer: httpx.Response, status: int) -> str:
    problem = contract.Problem(**answer.json())
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem.status) == (status, status)
    assert problem.title
    return problem.detail


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/runs/999", "999"),
        ("/api/runs?component=nobody", "nobody"),
        ("/api/runs?tag=untold", "untold"),
        ("/api/components/a%2Fb", "a/b"),
        ("/api/tags/untold", "untold"),
        ("/api/trace?output=nothing.csv", "nothing.csv"),
        ("/api/nonsense", "/api/nonsense"),
    ],
)
def test_what_nobody_recorded_is_named(api: httpx.Client, path: str, said: str) -> None:
    assert said in assert_problem(api.get(path), 404)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/runs?limit=0", "limit in the query: Input should be greater than or equal to 1"),
        ("/api/runs?limit=1001", "limit in the query: Input should be less than or equal to 1000"),
        ("/api/flags?limit=many", "limit in the query: Input should be a valid integer"),
        ("/api/review?sort=luck", "sort in the query: Input should be 'coverage' or 'suspicion'"),
        ("/api/trace?output=%00", "output in the query: must not contain the NUL character"),
    ],
)
def test_what_makes_no_sense_is_named(api: httpx.Client, path: str, said: str) -> None:
    assert said in assert_problem(api.get(path), 422)


@pytest.mark.parametrize("cursor", ["by-and-by", "2026-01-01T00:00~1", "2026-01-01T00:00Z~-1"])
def test_a_cursor_that_nobody_gave_is_refused(api: httpx.Client, cursor: str) -> None:
    assert "page before" in assert_problem(api.get(f"/api/runs?before={cursor}"), 400)


def test_a_cursor_in_a_zone_that_postgresql_refuses_is_read(api: httpx.Client) -> None:
    assert api.get("/api/runs", params={"before": "2026-01-01T00:00+23:59~1"}).is_success
    latest = {"before": "9999-12-31T23:59-23:59~1"}
    assert "page before" in assert_problem(api.get("/api/runs", params=latest), 400)


@pytest.mark.parametrize("question", ["trace", "impact", "trace/components", "impact/components"])
@pytest.mark.parametrize("query", ["", "?output=a&run=1"])
def test_a_lineage_begins_at_an_output_or_a_run(
    api: httpx.Client, question: str, query: str
) -> None:
    assert "`output` or `run`" in assert_problem(api.get(f"/api/{question}{query}"), 400)


def test_a_method_that_is_not_possible_names_those_that_are(api: httpx.Client) -> None:
    answer = api.delete("/api/runs")

    assert assert_problem(answer, 405) == "DELETE is not possible at /api/runs, possible is GET."
    assert answer.headers["allow"] == "GET"


def test_a_body_that_is_no_json_is_refused(api: httpx.Client) -> None:
    answer = api.post("/api/flags", content=b"{", headers={"content-type": "application/json"})

    assert_problem(answer, 422)


def test_a_lost_database_is_worth_another_try() -> None:
    nowhere = open_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    with serve_api(nowhere) as url:
        answer = httpx.get(f"{url}/api/runs")

    assert "Try again" in assert_problem(answer, 503)
    assert answer.headers["retry-after"] == "1"


def test_a_database_that_became_a_replica_is_worth_another_try(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        name = connection.scalar(sa.select(sa.func.current_database()))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    engine.dispose()
    with serve_api(engine) as url:
        answer = httpx.put(f"{url}/api/components/etl", json={"owner": "ann"})

    assert "Try again" in assert_problem(answer, 503)


@pytest.fixture
def failing() -> Iterator[httpx.Client]:
    """An application whose routes raise, with the panel's error page for all but the API."""
    app = FastAPI()
    problems.install(app)

    def render_error(_request: Request, status: int, title: str, detail: str) -> HTMLResponse:
        return HTMLResponse(f"<h1>{title}</h1>{detail}", status)

    app.state.render_error = render_error
    raised: dict[str, Exception] = {
        "malformed": errors.MalformedRequest("no cursor"),
        "large": errors.RequestTooLarge("too much"),
        "encoded": errors.UnsupportedEncoding("no gzip"),
        "busy": errors.Unavailable("later", retry_after_s=7),
        "broken": errors.SettingsError("secret path"),
        "bug": KeyError("secret"),
    }

    @app.get("/api/{name}")
    @app.get("/pages/{name}")
    def fail(name: str) -> None:
        raise raised[name]

    # The server hangs up after a bug, which may hit the next request of a kept connection.
    headers = {"connection": "close"}
    with serve(app) as url, httpx.Client(base_url=url, headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status"), [("malformed", 400), ("large", 413), ("encoded", 415), ("busy", 503)]
)
def test_each_error_of_the_exporter_has_its_status(
    failing: httpx.Client, name: str, status: int
) -> None:
    assert_problem(failing.get(f"/api/{name}"), status)
    assert failing.get(f"/pages/{name}").status_code == status


@pytest.mark.parametrize("name", ["broken", "bug"])
def test_a_failure_of_the_exporter_tells_no_secret(failing: httpx.Client, name: str) -> None:
    detail = assert_problem(failing.get(f"/api/{name}"), 500)

    assert "secret" not in detail
    assert "secret" not in failing.get(f"/pages/{name}").text


def test_pages_have_their_own_error_page(failing: httpx.Client) -> None:
    busy, lost = failing.get("/pages/busy"), failing.get("/apian")

    assert busy.text == "<h1>Service Unavailable</h1>later"
    assert busy.headers["retry-after"] == "7"
    assert lost.text == "<h1>Not Found</h1>There is nothing at /apian."


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(["runs/", "components/", "tags/", "trace?output=", "runs?before="]),
    text=st.text() | st.from_regex(r"[0-9]{1,30}|[0-9a-f]{1,20}|[0-9-]{10}T00:00:00[+~0-9:]*"),
)
def test_no_question_makes_the_exporter_fail(api: httpx.Client, path: str, text: str) -> None:
    quoted = quote(text.encode("utf-8", "surrogatepass"), safe="")

    assert api.get(f"/api/{path}{quoted}", follow_redirects=True).status_code < 500
