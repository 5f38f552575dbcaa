"""`mltrace grafana annotate`: what happened, marked once on the dashboards of others."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from builders import make_run, make_test, wrote
from grafana_program import GrafanaProgram, open_program
from grafana_server import EDITOR, VIEWER, Grafana, open_grafana
from otlp import write_protobuf
from services import Exporter, await_value, find_free_ports

PANEL = "https://mltrace.example"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def program() -> Iterator[GrafanaProgram]:
    with open_program() as program:
        yield program


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """A server that knows a failed run, a failed test, a new commit, and flags set together."""
    runs = [
        make_run("etl", 0, io=[wrote("a.csv"), wrote("b.csv")], git_hash="a" * 40),
        make_run("etl", 1, git_hash="b" * 40, tests=[make_test(status="fail")]),
        make_run("train", 2, execution="error", message=HOSTILE),
    ]
    with Exporter(tmp_path_factory.mktemp("exporter")) as exporter:
        httpx.post(
            f"{exporter.otlp_http}/v1/traces",
            content=write_protobuf(runs),
            headers={"content-type": "application/x-protobuf"},
        ).raise_for_status()
        await_value(
            lambda: len(httpx.get(f"{exporter.panel}/api/runs").json()["items"]) == len(runs),
            "the arrival of the runs",
        )
        flags = {"outputs": ["a.csv", "b.csv"], "reason": "odd & old"}
        httpx.post(f"{exporter.panel}/api/flags", json=flags).raise_for_status()
        yield exporter


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with open_grafana() as grafana:
        yield grafana


@pytest.fixture
def annotate(program: GrafanaProgram, grafana: Grafana, exporter: Exporter) -> Callable[..., str]:
    """Ask for annotations of all that ever happened."""

    def run(
        *options: str, code: int = 0, token: str = EDITOR, address: str = exporter.panel
    ) -> str:
        asked = (f"--url={grafana.url}", f"--panel-url={PANEL}", f"--address={address}", *options)
        environment = {"GRAFANA_TOKEN": token}
        return program.run("annotate", *asked, code=code, environment=environment)

    return run


def test_what_happened_is_marked_once(grafana: Grafana, annotate: Callable[..., str]) -> None:
    assert annotate("--hours=100000") == "4 annotations were set, 0 were there before.\n"
    assert annotate("--hours=100000") == "0 annotations were set, 4 were there before.\n"

    kinds = {each["tags"][1]: each for each in grafana.annotations}
    assert kinds.keys() == {"failed run", "failed tests", "new commit", "flag"}
    assert all(each["tags"][0] == "mltrace" for each in grafana.annotations)
    assert "component:train" in kinds["failed run"]["tags"]
    assert kinds["flag"]["text"].endswith(".csv and 1 more</a> flagged as wrong: odd &amp; old")
    assert "b" * 40 in kinds["new commit"]["text"]
    assert all(each["time"] == each["timeEnd"] > 10**12 for each in grafana.annotations)


def test_marks_lead_to_the_panel_and_carry_no_code(
    grafana: Grafana, annotate: Callable[..., str], exporter: Exporter
) -> None:
    annotate("--hours=100000")

    for text in (each["text"] for each in grafana.annotations):
        assert "<script" not in text
        [url] = re.findall(r'href="([^"]+)"', text)
        assert url.startswith(PANEL)
        assert httpx.get(url.replace(PANEL, exporter.panel)).status_code == 200


def test_what_is_longer_ago_is_left_out(grafana: Grafana, annotate: Callable[..., str]) -> None:
    # The runs began in a year long ago, the flags were set just now.
    assert annotate("--hours=1") == "1 annotations were set, 0 were there before.\n"
    assert [each["tags"][1] for each in grafana.annotations] == ["flag"]


def test_a_token_that_may_only_look_is_told(annotate: Callable[..., str]) -> None:
    said = annotate("--hours=1", token=VIEWER, code=2)
    assert said == (
        "mltrace: The token may not set annotations: give its service account the role Editor, or"
        " Admin for data sources.\n"
    )


def test_a_server_of_mltrace_that_is_away_is_told(annotate: Callable[..., str]) -> None:
    [port] = find_free_ports(1)
    said = annotate(address=f"127.0.0.1:{port}", code=3)
    assert said.startswith(f"mltrace: No mltrace server answers at http://127.0.0.1:{port} ")
