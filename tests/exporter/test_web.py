import httpx
import pytest
import sqlalchemy as sa
from serving import serve

from mltrace_exporter.main import create_app
from mltrace_exporter.settings import Settings

LOCAL = Settings().trusted_hosts


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        (Settings(), "localhost:8080", 200),
        (Settings(), "LOCALHOST", 200),
        (Settings(), "panel.localhost:8080", 200),
        (Settings(), "127.0.0.1:8080", 200),
        (Settings(), "[::1]:8080", 200),
        (Settings(), "192.0.2.7:8080", 200),
        (Settings(), "host.docker.internal:8080", 200),
        (Settings(), "evil.example:8080", 400),
        (Settings(), "localhost.evil.example", 400),
        (Settings(), "127.0.0.1.evil.example", 400),
        (Settings(), "", 400),
        (Settings(), "[", 400),
        (Settings(host="::1"), "evil.example", 400),
        (Settings(host="localhost"), "evil.example", 400),
        (Settings(host="0.0.0.0"), "mltrace.monitoring.svc:8080", 200),  # noqa: S104 - as in a pod
        (Settings(allowed_hosts=("mltrace.example", "*.svc")), "mltrace.example", 200),
        (Settings(allowed_hosts=("mltrace.example", "*.svc")), "mltrace.monitoring.svc:80", 200),
        (Settings(allowed_hosts=("mltrace.example", "*.svc")), "localhost", 200),
        (Settings(allowed_hosts=("mltrace.example",)), "other.example", 400),
        (Settings(allowed_hosts=("*",)), "other.example", 200),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_names_of_the_server_are_answered(
    engine: sa.Engine, settings: Settings, host: str, status: int
) -> None:
    app = create_app(engine, allowed_hosts=settings.trusted_hosts)
    with serve(app) as url:
        assert httpx.get(f"{url}/healthz", headers={"host": host}).status_code == status


@pytest.mark.parametrize("path", ["/api/tags", "/", "/components", "/metrics", "/readyz"])
def test_every_page_is_kept_from_others(engine: sa.Engine, path: str) -> None:
    with serve(create_app(engine, allowed_hosts=LOCAL)) as url:
        assert httpx.get(url + path, headers={"host": "evil.example"}).status_code == 400


def test_the_refusal_says_what_to_do(engine: sa.Engine) -> None:
    with serve(create_app(engine, allowed_hosts=LOCAL)) as url:
        answer = httpx.get(f"{url}/api/tags", headers={"host": "evil.example"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == (
        "'evil.example' is no name of this server: start it with --allowed-hosts NAME."
    )


@pytest.mark.parametrize("is_told", [True, False], ids=["with its length", "in chunks"])
def test_a_body_that_would_fill_the_memory_is_refused(engine: sa.Engine, *, is_told: bool) -> None:
    large = b"x" * 25_000_000
    content = large if is_told else iter([large])
    headers = {"content-type": "application/json"}
    with serve(create_app(engine)) as url:
        answer = httpx.post(f"{url}/api/flags", content=content, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
