# ruff: noqa: RET504 - what is returned is a local variable, too
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from receiving import Receiver, run_program
from sklearn.linear_model import LinearRegression

from mltrace_exporter.model import Io, Run
from mltrace_otel import Component, load, save
from mltrace_otel.artifacts.sidecars import read_sidecar
from mltrace_otel.digest import digest

Recorded = Callable[[], list[Run]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where values are kept."""
    monkeypatch.setenv("SAVE_DIR", str(tmp_path / "kept"))
    return tmp_path / "kept"


def make_frame(rows: int = 50) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(rows, dtype=float), "b": ["x", "y"] * (rows // 2)})


def list_io(run: Run, direction: str) -> list[Io]:
    return [io for io in run.io if io.direction == direction]


def list_values(folder: Path) -> list[str]:
    return sorted(
        f"{file.parent.name}/{file.name.rpartition('-')[0]}{file.suffix}"
        for file in folder.rglob("*")
        if file.is_file() and ".keys" not in file.parts and not file.name.endswith(".json")
    )


def test_data_and_models_of_a_run_are_kept_and_can_be_loaded(
    recorded: Recorded, folder: Path
) -> None:
    @Component("train").run(auto_log=True)
    def train(df: pd.DataFrame, rate: float) -> LinearRegression:
        assert rate
        model = LinearRegression().fit(df[["a"]], df["a"])
        return model

    frame = make_frame()
    model = train(frame, 0.5)

    (run,) = recorded()
    (read,), (written,) = list_io(run, "input"), list_io(run, "output")
    assert list_values(folder) == ["train/df.parquet", "train/model.joblib"]
    pd.testing.assert_frame_equal(load(read.name), frame)
    assert load(written.name).coef_ == model.coef_
    assert read.digest == digest(frame).text  # type: ignore[union-attr] # it has one


def test_nothing_is_kept_without_auto_log(recorded: Recorded, folder: Path) -> None:
    @Component("train").run(input_vars=["df"], output_vars=["model"])
    def train(df: pd.DataFrame) -> LinearRegression:
        model = LinearRegression().fit(df[["a"]], df["a"])
        return model

    train(make_frame())

    assert len(recorded()) == 1
    assert not folder.exists()


def test_an_argument_that_the_function_changes_in_place_is_kept_as_it_was_and_as_it_became(
    recorded: Recorded, folder: Path
) -> None:
    @Component("clean").run(auto_log=True)
    def clean(df: pd.DataFrame) -> None:
        df["a"] = 0.0

    frame = make_frame()
    clean(frame)

    (run,) = recorded()
    (read,), (written,) = list_io(run, "input"), list_io(run, "output")
    pd.testing.assert_frame_equal(load(read.name), make_frame())
    pd.testing.assert_frame_equal(load(written.name), frame)
    assert len(list_values(folder)) == 2


def test_equal_contents_are_saved_once_over_a_hundred_calls(
    recorded: Recorded, folder: Path
) -> None:
    @Component("etl").run(auto_log=True)
    def extract() -> pd.DataFrame:
        df = make_frame()
        return df

    @Component("train").run(auto_log=True)
    def train(df: pd.DataFrame) -> None:
        assert len(df)

    for _ in range(50):
        train(extract())

    runs = recorded()
    assert len(runs) == 100
    assert len({io.name for run in runs for io in run.io}) == 1
    assert [len(run.io) for run in runs] == [1] * 100
    assert list_values(folder) == ["etl/df.parquet"]


def test_each_reader_is_linked_to_the_run_before_it(recorded: Recorded) -> None:
    @Component("etl").run(auto_log=True)
    def extract() -> pd.DataFrame:
        df = make_frame()
        return df

    @Component("train").run(auto_log=True)
    def train(df: pd.DataFrame) -> None:
        assert len(df)

    for _ in range(2):
        train(extract())

    first, first_reader, second, second_reader = recorded()
    assert list_io(first_reader, "input")[0].producer == first.id
    assert list_io(second_reader, "input")[0].producer == second.id
    sidecar = read_sidecar(list_io(second, "output")[0].name)
    assert sidecar
    assert sidecar.span_id == second.id.span_id.hex()


def test_what_a_run_only_loads_is_not_its_output(recorded: Recorded) -> None:
    @Component("etl").run(auto_log=True)
    def extract() -> pd.DataFrame:
        df = make_frame()
        return df

    extract()
    (extraction,) = recorded()
    address = list_io(extraction, "output")[0].name

    @Component("train").run(auto_log=True)
    def train(path: str) -> LinearRegression:
        df = load(path)
        model = LinearRegression().fit(df[["a"]], df["a"])
        return model

    train(address)

    training = recorded()[1]
    assert [io.name for io in list_io(training, "input")] == [address]
    assert list_io(training, "input")[0].producer == extraction.id
    assert ["model" in io.name for io in list_io(training, "output")] == [True]
    sidecar = read_sidecar(address)
    assert sidecar
    assert sidecar.component == "etl"


@pytest.mark.parametrize("options", [{"auto_log": True}, {"output_vars": ["path"]}])
def test_what_is_also_saved_by_hand_is_one_output(
    options: dict[str, Any], recorded: Recorded
) -> None:
    @Component("etl").run(**options)
    def extract() -> str:
        df = make_frame()
        path = save(df)
        return path

    address = extract()

    assert [io.name for io in list_io(recorded()[0], "output")] == [address]


def test_what_cannot_be_kept_is_named_by_its_place_and_the_call_is_as_ever(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SAVE_DIR", "/dev/null/kept")

    @Component("place").run(auto_log=True)
    def extract() -> pd.DataFrame:
        df = make_frame()
        return df

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            pd.testing.assert_frame_equal(extract(), make_frame())

    assert {io.name for run in recorded() for io in run.io} == {"place.df"}
    assert len(caplog.records) == 1
    assert "place.df is not kept: Cannot read /dev/null/kept" in caplog.text


STAGES = """
import sys
import numpy as np
from mltrace_otel import Component, flush

@Component("etl").run(auto_log=True)
def extract():
    table = np.arange(1000.0)
    return table

@Component("train").run(auto_log=True)
def train(table):
    assert len(table)

table = extract() if "etl" in sys.argv else np.arange(1000.0)
if "train" in sys.argv:
    train(table)
assert flush(20)
"""


def test_another_process_that_has_the_same_content_names_the_same_file(
    receiver: Receiver, tmp_path: Path
) -> None:
    for stage in ("etl", "train"):
        program = STAGES.replace("import sys\n", f"import sys\nsys.argv.append('{stage}')\n")
        ended = run_program(
            tmp_path, program, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, SAVE_DIR=str(tmp_path)
        )
        assert ended.status == 0, ended.stderr

    extraction, training = receiver.runs()
    (written,), (read,) = list_io(extraction, "output"), list_io(training, "input")
    assert read.name == written.name
    assert read.digest == written.digest
