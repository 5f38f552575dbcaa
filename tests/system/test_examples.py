"""The examples, run as their readers run them; then the server is asked what they left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from services import REPOSITORY, Exporter, await_value

EXAMPLES = REPOSITORY / "examples"
PYTHON = Path(sys.executable)
CUSTOMERS = ("ada", "grace", "linus")


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    with Exporter(tmp_path_factory.mktemp("server")) as exporter:
        yield exporter


def run_script(exporter: Exporter, directory: Path, name: str) -> str:
    """Run an example, which must not complain of anything; return what it prints."""
    done = run(exporter, directory, PYTHON, EXAMPLES / name)
    assert done.stderr == ""
    return done.stdout


def run(
    exporter: Exporter, directory: Path, *command: str | Path
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, and expect that it succeeds."""
    done = subprocess.run(  # noqa: S603 - programs of the environment
        command,
        cwd=directory,
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": exporter.otlp_http,
            "MLTRACE_ADDRESS": exporter.panel,
            "MLTRACE_HOME": str(directory / "home"),
            "PYTHONWARNINGS": "default",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def ask(exporter: Exporter, path: str, **parameters: str) -> Any:
    return httpx.get(f"{exporter.panel}/api/{path}", params=parameters).raise_for_status().json()


def read_lineage(exporter: Exporter, output: str) -> list[tuple[str, int]]:
    """Return component and depth of the runs that led to an output, nearest first."""
    nodes = await_value(lambda: ask_for_trace(exporter, output), f"the arrival of {output}")
    return [(node["run"]["component"], node["depth"]) for node in nodes]


def ask_for_trace(exporter: Exporter, output: str) -> list[Any]:
    answer = httpx.get(f"{exporter.panel}/api/trace", params={"output": output})
    return answer.json()["nodes"] if answer.is_success else []


def find_run(exporter: Exporter, component: str) -> Any:
    """Return the newest run of a component in full."""
    [newest] = ask(exporter, "runs", component=component, limit="1")["items"]
    return ask(exporter, f"runs/{newest['id']}")


def test_the_plain_script_connects_its_stages_by_their_files(
    exporter: Exporter, tmp_path: Path
) -> None:
    printed = run_script(exporter, tmp_path, "plain_script.py")

    assert "mltrace trace wine-168" in printed
    assert read_lineage(exporter, "wine-168") == [
        ("predict", 0),
        ("clean", 1),
        ("train", 1),
        ("extract", 2),
    ]
    outcomes = find_run(exporter, "clean")["test_outcomes"]
    assert [each["status"] for each in outcomes] == ["pass", "pass"]


def test_the_asynchronous_script_nests_its_runs(exporter: Exporter, tmp_path: Path) -> None:
    run_script(exporter, tmp_path, "async_script.py")

    assert read_lineage(exporter, "answers/ada") == [("score", 0), ("look_up", 1), ("intake", 2)]
    scored = [ask(exporter, "trace", output=f"answers/{name}")["run_id"] for name in CUSTOMERS]
    parents = [ask(exporter, f"runs/{each}")["parent_id"] for each in scored]
    assert len(set(parents)) == len(CUSTOMERS)
    assert {ask(exporter, f"runs/{each}")["summary"]["component"] for each in parents} == {"answer"}


def test_the_notebook_recognises_its_data_and_asks(exporter: Exporter, tmp_path: Path) -> None:
    executed = tmp_path / "executed.ipynb"
    run(
        exporter,
        tmp_path,
        PYTHON.with_name("jupyter"),
        "execute",
        f"--output={executed}",
        EXAMPLES / "notebook.ipynb",
    )

    assert read_lineage(exporter, "mean-1") == [("notebook_mean", 0), ("notebook_clean", 1)]
    assert "orders.dropna()" in find_run(exporter, "notebook_clean")["code"]
    assert "notebook_clean" in executed.read_text(), "the answers of its questions"
    assert "Traceback" not in executed.read_text()


def test_the_library_brings_words_and_tests_to_its_pipeline(
    exporter: Exporter, tmp_path: Path
) -> None:
    run_script(exporter, tmp_path, "component_library/pipeline.py")

    assert read_lineage(exporter, "report.csv") == [("report", 0), ("cleaning_orders", 1)]
    run = find_run(exporter, "cleaning_orders")
    assert run["description"] == "Cleans the table of orders."
    assert run["summary"]["tags"] == ["etl", "orders"]
    outcomes = {(each["case"], each["phase"]): each["status"] for each in run["test_outcomes"]}
    assert outcomes == {
        ("test_columns_are_there", "before"): "pass",
        ("test_values_are_there", "before"): "pass",
        ("test_columns_are_there", "after"): "pass",
        ("test_values_are_there", "after"): "pass",
        ("test_rows_differ", "after"): "pass",
    }
