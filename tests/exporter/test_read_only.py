"""An exporter that only reads: it needs no right to write, refuses what would, and offers none."""

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

import httpx
import pytest
import sqlalchemy as sa
from builders import make_profile, make_run, read, wrote
from fastapi.routing import iter_route_contexts
from serving import serve
from summarising import make_numeric

from mltrace_exporter.errors import Unavailable
from mltrace_exporter.main import Addresses, create_app, run
from mltrace_exporter.marks import flag_outputs, tag_component, write_note
from mltrace_exporter.panel import links
from mltrace_exporter.settings import Settings
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.database import open_engine
from mltrace_exporter.web import ReadOnly
from mltrace_otel.contract.api import FlagRequest, NoteRequest, TagRequest

WRITER = "https://writer.example"
HARMLESS = {links.COMMAND, links.REVIEW, links.THEME}
"""Forms that change nothing: but for two commands, which are refused."""

PAGES = (
    *("/", "/runs/2", "/output?name=model", "/trace?output=score", "/impact?output=table"),
    *("/compare?a=1&b=2", "/review", "/flags", "/flags?state=all", "/components"),
    *("/component?name=etl", "/tag?name=nightly", "/tests", "/search?q=etl", "/status", "/help"),
    *("/completions?line=etl", "/metrics", "/healthz", "/readyz"),
)
ANSWERS = (
    *(
        "alerts",
        "runs",
        "runs/count",
        "runs/2",
        "runs/2/changes?since=1",
        "runs/2/drift",
        "runs/2/notes",
    ),
    *("runs/2/profiles", "components", "components/etl", "components/etl/metrics", "tags"),
    *("components/etl/profiles", "components/etl/tests", "tags/nightly", "trace?output=score"),
    *("trace/components?output=score", "impact?output=table", "pointers/model", "search?q=etl"),
    *("impact/components?output=table", "dead-letters", "flags", "review"),
)


@pytest.fixture
def reader(engine: sa.Engine, database_url: str) -> Iterator[sa.Engine]:
    """An engine of a role that may only read, on a pipeline that people have spoken about."""
    profile = make_profile(make_numeric("delay", [1, 2, 4]))
    runs = [
        make_run("etl", 0, io=[wrote("table")], profiles=(profile,)),
        make_run("train", 3, io=[read("table"), wrote("model")], profiles=(profile,)),
        make_run("predict", 6, io=[read("model"), wrote("score")]),
    ]
    role = f"{sa.make_url(database_url).database}_reader"
    with engine.begin() as connection:
        write_runs(connection, runs)
        flag_outputs(connection, FlagRequest(["score"]))
        write_note(connection, "2", NoteRequest("It took long."))
        tag_component(connection, TagRequest("etl", ["nightly"]))
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(sa.text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
    url = sa.make_url(database_url).set(username=role)
    reading = open_engine(url.render_as_string(hide_password=False))
    yield reading
    reading.dispose()
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP OWNED BY {role}"))
        connection.execute(sa.text(f"DROP ROLE {role}"))


@pytest.fixture
def client(reader: sa.Engine) -> Iterator[httpx.Client]:
    with (
        serve(create_app(reader, read_only=ReadOnly(WRITER))) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield client


def test_a_role_that_may_only_read_is_enough_for_every_answer(client: httpx.Client) -> None:
    for path in (*PAGES, *(f"/api/{answer}" for answer in ANSWERS)):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "The rest of this page cannot be shown" not in answer.text
    assert "mltrace_exporter_poll_errors_total 0.0" in client.get("/metrics").text


def test_whatever_writes_is_refused_with_where_to_go(reader: sa.Engine) -> None:
    app = create_app(reader, read_only=ReadOnly(WRITER))
    writing = [
        (method, route.path.replace(":any", ""))
        for route in iter_route_contexts(app.routes)
        for method in (route.methods or set()) - {"GET", "HEAD"}
        if route.path and route.path not in HARMLESS
    ]
    assert len(writing) == 11
    with serve(app) as url:
        for method, path in writing:
            answer = httpx.request(method, url + path.format(ref=1, name="etl"), json={})
            assert answer.status_code == 403, path
            assert f"This exporter only reads. Ask {WRITER} instead." in answer.text
            if path.startswith("/api/"):
                assert answer.headers["content-type"] == "application/problem+json"


def test_without_the_address_of_a_writer_it_says_what_one_is(reader: sa.Engine) -> None:
    with serve(create_app(reader, read_only=ReadOnly())) as url:
        refused = httpx.post(f"{url}/api/flags", json={"outputs": ["score"]})
        page = httpx.get(url).text
    assert refused.json()["detail"] == (
        "This exporter only reads. Ask one that was started without --read-only instead."
    )
    assert "at one that receives runs" in page


def test_pages_offer_no_form_that_would_be_refused(client: httpx.Client) -> None:
    for path in PAGES:
        page = client.get(path).text
        forms = re.findall(r'method="post" action="([^"]*)"', page)
        assert {*forms, *re.findall(r'formaction="([^"]*)"', page)} <= HARMLESS, path
        assert "mltrace flag" not in page
    assert f'<a href="{WRITER}/runs/2">' in client.get("/runs/2").text


def test_the_command_bar_reads_and_does_not_flag(client: httpx.Client) -> None:
    asks_json = {"accept": "application/json"}
    shown = client.post(links.COMMAND, data={"line": "trace score"}, headers=asks_json)
    assert shown.json() == {"address": "/trace?output=score"}
    refused = client.post(links.COMMAND, data={"line": "flag score"}, headers=asks_json)
    assert refused.status_code == 403
    assert WRITER in refused.json()["complaint"]
    assert "unflag" not in client.get(links.HELP).text
    offered = client.get(links.COMPLETIONS, params={"line": "fl"}).json()
    assert "flag " not in [each["line"] for each in offered]


def test_what_is_no_replica_has_no_age(client: httpx.Client) -> None:
    assert client.get("/readyz").text == "ok: reads only\n"
    assert "mltrace_exporter_replica_lag_seconds" not in client.get("/metrics").text


class _Started(Exception):  # noqa: N818 - says what happened
    """It has started."""


def test_it_opens_no_doors_and_leaves_the_tables_as_they_are(
    engine: sa.Engine, reader: sa.Engine
) -> None:
    announced: list[Addresses] = []

    def stop(addresses: Addresses) -> NoReturn:
        announced.append(addresses)
        raise _Started

    url = reader.url.render_as_string(hide_password=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(
            port=0, otlp_http_port=taken.getsockname()[1], database_url=url, is_read_only=True
        )
        with pytest.raises(_Started):
            run(settings, stop)
    assert announced[0].otlp_http is announced[0].otlp_grpc is None

    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Unavailable, match=r"of revision 0001, not .*mltrace db upgrade"):
        run(replace(settings, otlp_http_port=0), stop)
