import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from serving import serve

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.errors import SettingsError, Unavailable
from mltrace_exporter.listening import bind
from mltrace_exporter.main import Addresses, create_app, run
from mltrace_exporter.settings import Settings, read_database_url


def never(addresses: Addresses) -> None:
    pytest.fail(f"it started at {addresses}")


@pytest.fixture
def anywhere(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, port=0, otlp_http_port=0, otlp_grpc_port=0)


@pytest.mark.parametrize("option", ["port", "otlp_http_port", "otlp_grpc_port"])
def test_a_port_that_is_taken_is_told_with_its_option(anywhere: Settings, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = f"Port {port} of 127.0.0.1 cannot be used .*with --{option.replace('_', '-')}"
        with pytest.raises(SettingsError, match=told):
            run(replace(anywhere, **{option: port}), never)


def test_an_address_of_another_machine_is_refused(anywhere: Settings) -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(SettingsError, match=f"of {host} cannot be used"):
            run(replace(anywhere, host=host), never)


def test_a_home_in_use_is_told(anywhere: Settings) -> None:
    with (
        EmbeddedPostgres(anywhere.home / "postgres", options={"fsync": "off"}),
        pytest.raises(SettingsError, match="in use by another mltrace"),
    ):
        run(anywhere, never)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_database_that_cannot_be_reached_is_told_without_its_password(
    anywhere: Settings, host: str
) -> None:
    url = read_database_url(f"postgresql://me:secret@{host}/runs")
    with pytest.raises(Unavailable, match="cannot be used: ") as raised:
        run(replace(anywhere, database_url=url), never)
    assert host in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_database_that_takes_no_writes_is_told(
    anywhere: Settings, engine: sa.Engine, database_url: str
) -> None:
    with engine.begin() as connection:
        name = connection.scalar(sa.text("SELECT current_database()"))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    with pytest.raises(SettingsError, match=r"can only be read: it is a replica, .*read-write"):
        run(replace(anywhere, database_url=database_url), never)


def test_health_and_metrics_are_served_beside_panel_and_api(engine: sa.Engine) -> None:
    with serve(create_app(engine)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").text == "ok\n"
        metrics = client.get("/metrics", headers={"accept": "application/openmetrics-text"})
        assert metrics.headers["content-type"].startswith("application/openmetrics-text")
        assert "process_start_time_seconds" in metrics.text
        assert client.get("/api/openapi.json").json()["info"]["title"] == "mltrace"


def test_without_a_database_health_fails_and_metrics_say_so() -> None:
    engine = sa.create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with serve(create_app(engine)) as url:
        assert httpx.get(f"{url}/healthz").status_code == 503
        assert "mltrace_exporter_poll_errors_total 1.0" in httpx.get(f"{url}/metrics").text


def test_it_is_ready_once_the_tables_are_the_newest(engine: sa.Engine) -> None:
    with serve(create_app(engine)) as url:
        assert httpx.get(f"{url}/readyz").text == "ok\n"
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        behind = httpx.get(f"{url}/readyz")
        assert behind.status_code == 503
        assert "mltrace db upgrade" in behind.text
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_without_a_database_it_is_not_ready() -> None:
    engine = sa.create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with serve(create_app(engine)) as url:
        assert httpx.get(f"{url}/readyz").status_code == 503


def test_answers_do_not_wait_for_each_other_on_the_wire(anywhere: Settings) -> None:
    with (
        bind(anywhere, "--port") as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
