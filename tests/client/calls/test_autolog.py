# ruff: noqa: RET504 - what is returned must be a local variable first
"""What is saved by itself, and what is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import names
from sklearn.linear_model import LinearRegression

from mltrace_exporter.model import Run
from mltrace_otel import Component, load
from mltrace_otel.calls.autolog import estimate_size, is_worth_keeping

Recorded = Callable[[], list[Run]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where values are saved."""
    monkeypatch.setenv("SAVE_DIR", str(tmp_path))
    return tmp_path


class Subframe(pd.DataFrame):
    """A data frame of a kind that somebody made."""


class Plain:
    def __init__(self, content: object) -> None:
        self.content = content


class Hostile:
    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)

    def __sizeof__(self) -> NoReturn:
        raise RuntimeError("no size")


def give() -> int:
    return 1


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("x", pd.DataFrame({"a": [1]}), True),
        ("x", Subframe({"a": [1]}), True),
        ("x", pd.Series([1]), True),
        ("x", np.zeros(3), True),
        ("x", pa.table({"a": [1]}), True),
        ("x", LinearRegression(), True),
        ("x", [1, 2], False),
        ("x", "text", False),
        ("x", np.float64(1.5), False),
        ("raw_data", [1, 2], True),
        ("myModel", {"weights": 1}, True),
        ("model", 12, False),
        ("model", None, False),
        ("model", LinearRegression, False),
        ("data", give, False),
        ("data", pd, False),
        ("self", pd.DataFrame(), False),
        ("x", "t" * 1_100_000, True),
        ("x", [[number] for number in range(20_000)], True),
        ("x", {number: f"{number:1000}" for number in range(2000)}, True),
        ("x", [np.zeros(1000) for _ in range(200)], True),
        ("x", Plain(Plain("t" * 2_000_000)), True),
        ("x", Plain("t"), False),
    ],
)
def test_data_models_and_what_is_large_is_worth_keeping(
    variable: str,
    value: object,
    expected: bool,  # noqa: FBT001
) -> None:
    assert is_worth_keeping(variable, value) is expected


def test_a_size_is_about_right() -> None:
    pairs = {str(number): [float(number)] * 10 for number in range(1000)}

    assert estimate_size(np.zeros(1000)) == 8000
    assert 0.3 < estimate_size(pairs) / (1000 * (60 + 150 + 24 * 10)) < 2
    assert estimate_size([]) < 100


def test_arguments_are_inputs_and_locals_are_outputs(recorded: Recorded, folder: Path) -> None:
    @Component("cleaning").run(auto_log=True)
    def clean(df: pd.DataFrame, path: str, limit: int = 3) -> int:
        clean_df = df.head(limit)
        row_count = len(clean_df)
        assert path
        return row_count

    frame = pd.DataFrame({"x": [1, 2, 3, 4]})
    assert clean(frame, "raw.csv") == 3

    (run,) = recorded()
    (read,), (written,) = names(run, "input"), names(run, "output")
    assert Path(read).is_relative_to(folder)
    assert load(read).equals(frame)
    assert load(written).equals(frame.head(3))


def test_what_is_returned_without_a_name_is_an_output(recorded: Recorded) -> None:
    component = Component("cleaning")

    @component.run(auto_log=True)
    def clean(df: pd.DataFrame) -> pd.DataFrame:
        return df.dropna()

    @component.run(auto_log=True)
    def split(df: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
        head = df.head(1)
        return head, df.tail(2), 12

    frame = pd.DataFrame({"x": [1.0, None, 3.0]})
    clean(frame)
    split(frame)

    cleaned, halves = recorded()
    assert [load(name).shape for name in names(cleaned, "output")] == [(2, 1)]
    assert [load(name).shape for name in names(halves, "output")] == [(1, 1), (2, 1)]


def test_what_was_not_changed_is_no_output(recorded: Recorded) -> None:
    @Component("c").run(auto_log=True)
    def look(df: pd.DataFrame) -> pd.DataFrame:
        return df

    @Component("c").run(auto_log=True)
    def change(df: pd.DataFrame) -> None:
        df["y"] = 1

    frame = pd.DataFrame({"x": [1, 2]})
    look(frame)
    change(frame)

    looked, changed = recorded()
    assert (len(names(looked, "input")), names(looked, "output")) == (1, [])
    (output,) = names(changed, "output")
    assert list(load(output).columns) == ["x", "y"]


def test_named_variables_are_saved_once_and_kept_apart(recorded: Recorded, folder: Path) -> None:
    @Component("training").run(input_vars=["df"], output_vars=["fitted", "path"], auto_log=True)
    def train(df: pd.DataFrame) -> LinearRegression:
        fitted = LinearRegression().fit(df[["x"]], df["y"])
        path = "model.pkl"
        assert path
        return fitted

    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 4.0]})
    train(frame)
    train(frame)

    first, second = recorded()
    assert names(first, "input") == names(second, "input")
    assert names(first, "output") == names(second, "output")
    path, saved = sorted(names(first, "output"), key=len)
    assert path == "model.pkl"
    assert load(saved).predict(pd.DataFrame({"x": [3.0]})) == pytest.approx([6.0])
    contents = [file for file in folder.rglob("*") if file.suffix in {".parquet", ".joblib"}]
    assert len(contents) == 2


def test_a_saved_output_links_its_reader_to_its_writer(recorded: Recorded) -> None:
    @Component("cleaning").run(auto_log=True)
    def clean() -> pd.DataFrame:
        return pd.DataFrame({"x": range(100)})

    @Component("training").run(auto_log=True)
    def train(features: pd.DataFrame) -> int:
        return len(features)

    train(clean())

    cleaning, training = recorded()
    assert training.io[0].producer == cleaning.id
    assert training.io[0].name == cleaning.io[0].name


def test_nothing_is_saved_unless_it_is_asked_for(recorded: Recorded, folder: Path) -> None:
    @Component("c").run(input_vars=["df"], output_vars=["model"])
    def work(df: pd.DataFrame) -> dict[str, pd.DataFrame]:
        model = {"df": df}
        return model

    work(pd.DataFrame({"x": range(1000)}))

    assert names(recorded()[0], "output") == ["c.model[df]"]
    assert list(folder.iterdir()) == []


def test_generators_and_methods_are_logged(recorded: Recorded) -> None:
    class Pipeline:
        def __init__(self) -> None:
            self.data = np.zeros(10)

        @Component("c").run(auto_log=True)
        def batches(self, data: np.ndarray) -> Any:
            for batch in np.split(data, 2):  # noqa: UP028 - a variable to record
                yield batch

    assert len(list(Pipeline().batches(np.arange(4)))) == 2

    (run,) = recorded()
    assert (len(names(run, "input")), len(names(run, "output"))) == (1, 1)


def test_values_that_refuse_everything_cost_one_warning(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    @Component("c").run(auto_log=True)
    def work(data: Hostile, model: Any) -> Hostile:
        again = data
        assert model
        return again

    value = Hostile()
    assert work(value, lambda: 1) is value
    assert work(value, lambda: 1) is value

    assert [run.execution for run in recorded()] == ["ok", "ok"]
    assert len(caplog.records) <= 1
