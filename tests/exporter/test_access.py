import logging
from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from serving import serve

from mltrace_exporter.access import AccessLog
from mltrace_exporter.main import create_app


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    caplog.set_level(logging.DEBUG, "mltrace_exporter.access")
    return lambda: [each for each in caplog.records if each.name == "mltrace_exporter.access"]


def wrap(app: FastAPI) -> AccessLog:
    return AccessLog(app, logging.INFO, frozenset({"/healthz"}))


def test_an_answer_is_logged_with_its_status_and_given_the_id(
    engine: sa.Engine, lines: Callable[[], list[logging.LogRecord]]
) -> None:
    with serve(wrap(create_app(engine))) as url:
        headers = {"x-request-id": "from-the-proxy", "authorization": "Bearer secret"}
        answer = httpx.get(f"{url}/api/runs?limit=1&words=secret", headers=headers)
        missing = httpx.get(f"{url}/nothing")
        httpx.get(f"{url}/healthz")

    assert answer.headers["x-request-id"] == "from-the-proxy"
    assert len(missing.headers["x-request-id"]) == 32
    told = lines()
    assert [(each.levelname, each.__dict__["path"], each.__dict__["status"]) for each in told] == [
        ("INFO", "/api/runs", 200),
        ("INFO", "/nothing", 404),
        ("DEBUG", "/healthz", 200),
    ]
    assert all(0 < each.__dict__["duration_s"] < 60 for each in told)
    assert not any("secret" in str(vars(each)) for each in told)


def test_a_probe_that_fails_is_told(lines: Callable[[], list[logging.LogRecord]]) -> None:
    engine = sa.create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with serve(wrap(create_app(engine))) as url:
        assert httpx.get(f"{url}/healthz").status_code == 503
    (told,) = lines()
    assert (told.levelname, told.__dict__["status"]) == ("INFO", 503)


def test_an_app_that_fails_is_told_as_500(lines: Callable[[], list[logging.LogRecord]]) -> None:
    app = FastAPI()

    @app.get("/broken")
    def break_down() -> None:
        raise RuntimeError

    with serve(wrap(app)) as url:
        assert httpx.get(f"{url}/broken").status_code == 500
    told = lines()
    assert [each.__dict__["status"] for each in told] == [500]
