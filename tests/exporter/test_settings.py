from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mltrace_exporter.errors import SettingsError
from mltrace_exporter.settings import Retention, Settings, read_database_url


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"port": 65536}, "--port must be a port from 0 to 65535, not 65536."),
        ({"otlp_grpc_port": -1}, "--otlp-grpc-port must be a port"),
        ({"port": 4318}, "--port and --otlp-http-port must differ: both are 4318."),
        ({"request_limit_bytes": 10}, "--request-limit must be from 1024 to"),
        ({"metrics_interval_s": 0}, "--metrics-interval must be from 0.1 to 300 seconds."),
        ({"series_limit": 99}, "--metrics-series must be 100 or more."),
        ({"panel_url": "mltrace.example"}, "--panel-url must begin with http:// or https://."),
        ({"trace_url": "https://a/{trace_id}/{b}"}, "write other braces as %7B and %7D."),
        ({"trace_url": "https://a/{span_id}"}, "must begin with http:// or https:// and hold {tr"),
        ({"writer_url": "writer"}, "--writer-url must begin with http:// or https://."),
        ({"is_read_only": True, "allows_clean": True}, "With --read-only nothing is deleted"),
        ({"is_read_only": True, "retention": Retention(days=1)}, "leave out --allow-clean and"),
        ({"runbooks_url": 'https://a"b'}, "--runbooks-url must begin with http"),
    ],
)
def test_a_wrong_setting_is_told_by_its_option(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Settings(**wrong)


def test_any_number_of_ports_may_be_left_to_the_system() -> None:
    assert set(Settings(port=0, otlp_http_port=0, otlp_grpc_port=0).ports.values()) == {0}


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_usual_addresses_of_a_database_are_understood(scheme: str) -> None:
    url = sa.make_url(
        read_database_url(f"{scheme}://me:s%40cret@db.example:5433/runs?connect_timeout=3")
    )
    assert url.drivername == "postgresql+psycopg2"
    assert (url.password, url.port, url.database) == ("s@cret", 5433, "runs")
    assert (url.query["connect_timeout"], url.query["tcp_user_timeout"]) == ("3", "30000")


@pytest.mark.parametrize("text", ["", "nonsense", "mysql://a@b/c", "postgresql://a@b:port/c"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must look like postgresql://"):
        read_database_url(text)


def test_the_password_of_the_database_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s@cret: /?#\n")

    url = sa.make_url(read_database_url("postgresql://me@db.example/runs", file))

    assert (url.username, url.password) == ("me", "s@cret: /?#")


@pytest.mark.parametrize(
    ("url", "content", "message"),
    [
        ("postgresql://me@db/runs", None, "No such file or directory"),
        ("postgresql://me@db/runs", b"\n", "it is empty"),
        ("postgresql://me@db/runs", b"\xff", "it is no text"),
        ("postgresql://me:one@db/runs", b"two", "leave one out"),
    ],
)
def test_a_file_without_a_password_is_refused(
    tmp_path: Path, url: str, content: bytes | None, message: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        read_database_url(url, file)
