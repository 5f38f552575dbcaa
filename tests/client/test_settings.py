from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiving import run_program

from mltrace_otel import SettingsError
from mltrace_otel.settings import Compression, Protocol, read_settings


def test_nothing_set_means_this_machine() -> None:
    settings = read_settings({})

    assert settings.endpoint == "http://localhost:4318/v1/traces"
    assert settings.protocol is Protocol.HTTP_PROTOBUF
    assert settings.compression is Compression.NONE
    assert settings.headers == ()
    assert settings.timeout_s == 10
    assert settings.api_url == "http://127.0.0.1:8080"
    assert settings.home == Path.home() / ".mltrace"


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"}, "http://c:1/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1/p/"}, "http://c:1/p/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/x"}, "http://c:1/x"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:1",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://b:2/t",
            },
            "https://b:2/t",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            "http://c:4317",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "https://c:4317",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "c:4317",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_INSECURE": "TRUE",
            },
            "http://c:4317",
        ),
        ({"DB_SERVER": "10.0.0.7"}, "http://10.0.0.7:4318/v1/traces"),
        (
            {"DB_SERVER": "10.0.0.7", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "http://10.0.0.7:4317",
        ),
        (
            {"DB_SERVER": "10.0.0.7", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"},
            "http://c:1/v1/traces",
        ),
        ({"DB_SERVER": "::1"}, "http://[::1]:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "  "}, "http://localhost:4318/v1/traces"),
    ],
)
def test_runs_go_where_the_standard_variables_say(variables: dict[str, str], endpoint: str) -> None:
    assert read_settings(variables).endpoint == endpoint


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"MLTRACE_ADDRESS": "here"}, "http://here:8080"),
        ({"MLTRACE_ADDRESS": "here:81"}, "http://here:81"),
        ({"MLTRACE_ADDRESS": "https://here/mltrace/"}, "https://here/mltrace"),
        ({"MLTRACE_ADDRESS": "here", "DB_SERVER": "there"}, "http://here:8080"),
        ({"DB_SERVER": "there"}, "http://there:8080"),
        ({"MLTRACE_ADDRESS": "[::1]:81"}, "http://[::1]:81"),
    ],
)
def test_questions_go_where_the_address_says(variables: dict[str, str], url: str) -> None:
    assert read_settings(variables).api_url == url


def test_the_other_variables_are_read_and_those_of_traces_win() -> None:
    settings = read_settings(
        {
            "OTEL_EXPORTER_OTLP_HEADERS": "Api-Key=a%20b%3D, x = y ",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "0.5",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
            "MLTRACE_HOME": "~/elsewhere",
        }
    )

    assert settings.headers == (("api-key", "a b="), ("x", "y"))
    assert settings.timeout_s == 0.5
    assert settings.compression is Compression.GZIP
    assert settings.certificate == Path("ca.pem")
    assert settings.home == Path.home() / "elsewhere"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "key"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("MLTRACE_ADDRESS", "ftp://here"),
        ("MLTRACE_ADDRESS", "here:port"),
        ("DB_SERVER", "http://"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


@given(st.dictionaries(st.sampled_from(["DB_SERVER", "MLTRACE_ADDRESS"]), st.text()))
def test_any_address_is_read_or_refused(variables: dict[str, str]) -> None:
    try:
        url = read_settings(variables).api_url
    except SettingsError:
        return
    assert url.startswith(("http://", "https://"))


def test_set_address_sets_both_and_wins(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import mltrace_otel
        from mltrace_otel.settings import read_settings

        mltrace_otel.set_address("10.0.0.7:81")
        print(read_settings().endpoint, read_settings().api_url)
        try:
            mltrace_otel.set_address("ftp://nowhere")
        except mltrace_otel.SettingsError as error:
            print(error)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://elsewhere:1",
        MLTRACE_ADDRESS="elsewhere",
    )

    assert ended.stdout.splitlines() == [
        "http://10.0.0.7:4318/v1/traces http://10.0.0.7:81",
        "set_address='ftp://nowhere' is no host, host:port or http(s) URL.",
    ]
