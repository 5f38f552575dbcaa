"""`mltrace grafana push` against a Grafana: what it makes, what it leaves alone, what it says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from boards import read_boards
from demo_server import run_mltrace
from grafana_program import GrafanaProgram, open_program
from grafana_server import ADMIN, EDITOR, VIEWER, Grafana, open_grafana
from services import REPOSITORY, find_free_ports

from mltrace_dashboards.sources import describe_postgres, describe_prometheus

PANEL = "https://mltrace.example"
UIDS = {board["uid"] for board in read_boards()}
PASSWORD = "it's $ecret"  # noqa: S105
POSTGRES = "postgresql://mltrace_grafana@db.example:5433/mltrace"


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    with open_grafana() as grafana:
        yield grafana


@pytest.fixture(scope="module")
def program() -> Iterator[GrafanaProgram]:
    with open_program() as program:
        yield program


@pytest.fixture
def push(program: GrafanaProgram, grafana: Grafana) -> Callable[..., str]:
    """Push, with the token where it belongs: in the environment."""

    def run(*options: str, code: int = 0, token: str = EDITOR, url: str = grafana.url) -> str:
        secrets = {"GRAFANA_TOKEN": token, "MLTRACE_PG_RO_PASSWORD": PASSWORD}
        asked = ("push", f"--url={url}", f"--panel-url={PANEL}", *options)
        return program.run(*asked, code=code, environment=secrets)

    return run


def test_all_dashboards_come_into_their_folder_and_lead_to_the_panel(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    said = push()

    assert said.splitlines()[0] == f"Grafana 13.2.3 at {grafana.url}"
    assert said.splitlines()[1] == "created: folder mltrace"
    assert said.count("created: mltrace / ") == len(UIDS)
    assert grafana.dashboards.keys() == UIDS
    for kept in grafana.dashboards.values():
        assert kept["folderUid"] == "mltrace"
        variables = {each["name"]: each for each in kept["dashboard"]["templating"]["list"]}
        assert variables["panel_url"]["query"] == PANEL


def test_pushing_again_writes_nothing(grafana: Grafana, push: Callable[..., str]) -> None:
    push()
    grafana.requests.clear()

    said = push()

    assert said.count("unchanged: ") == len(UIDS)
    assert grafana.list_writes() == []


def test_another_panel_is_a_change(grafana: Grafana, push: Callable[..., str]) -> None:
    push()
    said = push("--panel-url=https://other.example/")

    assert said.count("updated: ") == len(UIDS)
    assert {len(each) for each in grafana.versions.values()} == {2}


def test_what_somebody_edited_is_left_alone_until_forced(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    push()
    grafana.edit("mltrace-tests", title="my tests")

    said = push("--panel-url=https://other.example", code=1)
    assert "left alone: mltrace / Tests (somebody edited it: --force overwrites the edit)" in said
    assert said.count("updated: ") == len(UIDS) - 1
    assert grafana.dashboards["mltrace-tests"]["dashboard"]["title"] == "my tests"

    said = push("--panel-url=https://other.example", "--force")
    assert "updated: mltrace / Tests" in said
    assert said.count("unchanged: ") == len(UIDS) - 1
    assert grafana.dashboards["mltrace-tests"]["dashboard"]["title"] == "mltrace / Tests"


def test_what_a_file_provisions_is_left_alone_even_if_forced(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    push()
    grafana.provisioned.add("mltrace-overview")
    other = "--panel-url=https://other.example"

    assert "a file provisions it: change that file instead" in push(other, code=1)
    said = push(other, "--force", code=1)
    assert "left alone: mltrace / Overview (Grafana would not save dashboards: Bad Input" in said
    assert "Cannot save provisioned dashboard" in said


def test_a_dashboard_of_another_with_our_title_is_left_alone(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    push()
    grafana.dashboards["theirs"] = grafana.dashboards.pop("mltrace-review")
    del grafana.versions["mltrace-review"]

    said = push(code=1)
    assert "left alone: mltrace / Review (somebody has just changed it, or took its title)" in said


def test_a_folder_of_another_uid_is_told_and_can_be_named(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    grafana.folders["abc"] = {"uid": "abc", "title": "mltrace"}

    assert "give that, --folder UID" in push(code=2)
    assert "created: mltrace / Overview" in push("--folder=abc")
    assert {each["folderUid"] for each in grafana.dashboards.values()} == {"abc"}


def test_data_sources_are_made_if_asked_and_keep_the_password(
    grafana: Grafana, push: Callable[..., str]
) -> None:
    sources = ("--prometheus=http://prometheus:9090", f"--postgres={POSTGRES}")
    said = push(*sources, token=ADMIN)

    assert "created: data source mltrace-postgres" in said
    assert "ecret" not in said
    kept = grafana.sources["mltrace-postgres"]
    assert (kept["url"], kept["user"]) == ("db.example:5433", "mltrace_grafana")
    assert kept["secureJsonData"] == {"password": PASSWORD}
    assert "updated: data source mltrace-prometheus" in push(*sources, token=ADMIN)

    grafana.sources["mltrace-prometheus"]["readOnly"] = True
    said = push(sources[0], token=ADMIN, code=1)
    assert "left alone: data source mltrace-prometheus (a file provisions it" in said


def test_made_and_provisioned_data_sources_are_the_same() -> None:
    path = REPOSITORY / "dashboards" / "provisioning" / "datasources" / "mltrace.yaml"
    provisioned = {each["uid"]: each for each in yaml.safe_load(path.read_text())["datasources"]}
    made: list[dict[str, Any]] = [
        dict(describe_prometheus("$MLTRACE_PROMETHEUS_URL", "$MLTRACE_PANEL_URL")),
        dict(describe_postgres(POSTGRES, "secret")),
    ]
    for source in made:
        twin = provisioned[source["uid"]]
        assert source.keys() | {"editable"} == twin.keys()
        for key in ("name", "type", "access"):
            assert source[key] == twin[key]
        assert source["jsonData"].keys() == twin["jsonData"].keys()
        for key, value in source["jsonData"].items():
            told = yaml.safe_dump(twin["jsonData"][key]).replace("$$", "$")
            assert told == yaml.safe_dump(value) or told.startswith("$")


@pytest.mark.parametrize(
    ("options", "token", "sentence"),
    [
        ((), "glsa_old", "does not accept the token: make one for a service account"),
        ((), VIEWER, "The token may not make a folder: give its service account the role Editor"),
        (("--prometheus=http://prometheus:9090",), EDITOR, "or Admin for data sources."),
        (("--postgres=db.example",), ADMIN, "postgresql://user@host:5432/database"),
        (("--postgres=postgresql://me:secret@db/mltrace",), ADMIN, "MLTRACE_PG_RO_PASSWORD, not"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    push: Callable[..., str],
    grafana: Grafana,
    options: tuple[str, ...],
    token: str,
    sentence: str,
) -> None:
    last = push(*options, token=token, code=2).splitlines()[-1]

    assert last.startswith("mltrace: ")
    assert sentence in last
    assert "secret" not in last
    assert grafana.list_writes() in ([], [("POST", "/api/folders")])


def test_an_address_where_nobody_answers_is_told(push: Callable[..., str]) -> None:
    [port] = find_free_ports(1)
    url = f"http://127.0.0.1:{port}"
    assert push(url=url, code=3).splitlines() == [
        f"mltrace: No Grafana answers at {url}: check the address, and that it runs."
    ]


@pytest.mark.parametrize("address", ["ftp://grafana", "http://", "http://admin:admin@grafana"])
def test_an_address_that_makes_no_sense_is_told(push: Callable[..., str], address: str) -> None:
    said = push(url=address, code=2)
    assert said.startswith("mltrace: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("content", [b"<html>Welcome</html>", b'{"hello": "world"}', b"[]"])
def test_an_answer_of_another_server_is_told(push: Callable[..., str], content: bytes) -> None:
    with answer_always(200, content) as url:
        [said] = push(url=url, code=3).splitlines()
    assert said.startswith(f"mltrace: What answers at {url} is no Grafana: check the address, ")


def test_a_grafana_that_fails_is_told(push: Callable[..., str]) -> None:
    with answer_always(502, b'{"message": "upstream is away"}') as url:
        said = push(url=url, code=3)
    assert said.startswith(f"mltrace: Grafana at {url} failed: ")
    assert "upstream is away" in said


@contextmanager
def answer_always(status: int, content: bytes) -> Iterator[str]:
    """Answer every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            kind = "text/html" if content.startswith(b"<") else "application/json"
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_grafana_under_a_path_is_reached(push: Callable[..., str]) -> None:
    with open_grafana("/monitoring") as grafana:
        push(url=f"{grafana.url}/")
        assert grafana.dashboards.keys() == UIDS


def test_without_the_library_it_says_what_to_install() -> None:
    said = run_mltrace("grafana", "push", "--url=grafana:3000", "--token=none", code=2)
    assert said.splitlines() == [
        (
            "mltrace: Asking Grafana needs a package that is not installed (grafana_client): "
            "pip install 'mltrace-otel[grafana]'"
        )
    ]


def test_files_are_written_for_a_grafana_that_reads_them_at_its_start(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = run_mltrace("grafana", "write", str(out), f"--panel-url={PANEL}")

    written = {str(path.relative_to(out)) for path in out.rglob("*.*")}
    assert written == {
        *(f"json/{uid}.json" for uid in UIDS),
        "provisioning/dashboards/mltrace.yaml",
        "provisioning/datasources/mltrace.yaml",
        "provisioning/reader.sql",
    }
    assert len(said.splitlines()) == len(written)
    assert PANEL in (out / "json" / "mltrace-overview.json").read_text()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "json").write_text("a file")
    said = run_mltrace("grafana", "write", str(tmp_path), code=2)
    assert said == f"mltrace: {tmp_path} cannot be written to: File exists.\n"
