"""Values that one machine saves and another loads: programs -> a store, and `mltrace up`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from ftp import serve_ftp
from receiving import run_program
from services import Exporter

EXTRACT = """
import pandas as pd
from mltrace_otel import Component, flush, save

@Component("etl").run
def extract(path):
    return save(pd.DataFrame({"a": range(100)}), path)

print(extract(PATH))
assert flush(20)
"""

TRAIN = """
from mltrace_otel import Component, flush, load

@Component("train").run(output_vars=["prediction"])
def train():
    df = load(ADDRESS)
    prediction = f"prediction-{df.a.sum()}"
    return prediction

print(train())
assert flush(20)
"""


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[Exporter]:
    with Exporter(tmp_path / "server") as exporter:
        yield exporter


def run_machine(name: str, program: str, exporter: Exporter, folder: Path, store: str) -> str:
    """Run a program on a machine of its own; returns what it printed."""
    (folder / name).mkdir()
    ended = run_program(
        folder / name,
        program,
        OTEL_EXPORTER_OTLP_ENDPOINT=exporter.otlp_http,
        SAVE_DIR=store,
    )
    assert (ended.status, ended.stderr) == (0, "")
    return ended.stdout.strip()


def trace(exporter: Exporter, output: str) -> dict[str, Any]:
    answer = httpx.get(f"{exporter.panel}/api/trace", params={"output": output})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_trace_leads_from_one_machine_to_another_by_what_was_saved(
    exporter: Exporter, tmp_path: Path
) -> None:
    (tmp_path / "store").mkdir()
    with serve_ftp(tmp_path / "store") as url:
        address = run_machine("first", f"PATH = None\n{EXTRACT}", exporter, tmp_path, f"{url}/kept")
        program = f"ADDRESS = {address!r}\n{TRAIN}"
        prediction = run_machine("second", program, exporter, tmp_path, f"{url}/kept")

    assert address.startswith(f"{url}/kept/etl/dataframe-")
    found = trace(exporter, prediction)
    assert [node["run"]["component"] for node in found["nodes"]] == ["train", "etl"]
    assert [(edge["pointer"], edge["rule"]) for edge in found["edges"]] == [
        (address.replace("ann:secret@", ""), "link")
    ]
    assert "secret" not in str(found)


def test_a_trace_tells_that_a_saved_file_was_changed_by_somebody_else(
    exporter: Exporter, tmp_path: Path
) -> None:
    file = tmp_path / "frame.parquet"
    run_machine(
        "first", f"PATH = {str(file)!r}\n{EXTRACT}", exporter, tmp_path, str(tmp_path / "kept")
    )
    pd.DataFrame({"a": [1, 2]}).to_parquet(file)
    program = f"ADDRESS = {str(file)!r}\n{TRAIN}"
    prediction = run_machine("second", program, exporter, tmp_path, str(tmp_path / "kept"))

    assert prediction == "prediction-3"
    (edge,) = trace(exporter, prediction)["edges"]
    assert (edge["pointer"], edge["rule"]) == (str(file), "name")
    assert edge["content_changed_outside"]
