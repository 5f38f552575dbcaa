# ruff: noqa: RET504 - what is returned must be a local variable first
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from builders import names

from mltrace_exporter.model import Run
from mltrace_otel import SetupError, UnknownVariable, create_random_ids, register

Recorded = Callable[[], list[Run]]


def test_names_and_variables_are_inputs_and_outputs(recorded: Recorded) -> None:
    @register(
        component_name="cleaning",
        inputs=["raw.csv"],
        outputs=["log.txt"],
        input_vars=["config"],
        output_vars=["clean_path"],
        staleness_threshold=60,
    )
    def clean(config: str) -> str:
        clean_path = config + ".clean.csv"
        return clean_path

    assert clean("config.json") == "config.json.clean.csv"

    (run,) = recorded()
    assert run.component == "cleaning"
    assert names(run, "input") == ["raw.csv", "config.json"]
    assert names(run, "output") == ["log.txt", "config.json.clean.csv"]
    assert run.staleness_threshold_s == 60
    assert "def clean" in (run.code or "")


def test_names_of_files_have_the_files_content(recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    @register("writing", outputs=[str(path)])
    def write() -> None:
        path.write_text("1\n")

    write()

    (pointer,) = recorded()[0].io
    assert pointer.digest is not None
    assert pointer.size_bytes == 2


def test_variables_with_names_and_contents_make_pointers_of_both(recorded: Recorded) -> None:
    frame = pd.DataFrame({"x": range(100)})

    @register(
        "inference",
        input_kwargs={"source": "rows"},
        output_kwargs={"ids": "scores", "report": "text"},
        endpoint=True,
    )
    def predict(source: str, rows: pd.DataFrame) -> list[str]:
        scores = [rows["x"].head(60), rows["x"].tail(60)]
        ids = ["first", "second"]
        report, text = "report", "fine"
        assert [source, scores, report, text]
        return ids

    predict("features", frame)

    (run,) = recorded()
    (read,) = [io for io in run.io if io.direction == "input"]
    assert (read.name, read.type) == ("features", "unknown")
    assert read.digest is not None
    assert read.size_bytes is not None
    written = {io.name: io for io in run.io if io.direction == "output"}
    assert set(written) == {"first", "second", "report"}
    assert written["first"].digest != written["second"].digest is not None
    assert {io.type for io in written.values()} == {"endpoint"}


def test_lists_of_different_lengths_are_names_only(recorded: Recorded) -> None:
    @register("inference", output_kwargs={"ids": "scores"})
    def predict(ids: list[str], scores: list[float]) -> None:
        """Do nothing."""

    predict(["a", "b"], [0.5])

    assert [(io.name, io.digest) for io in recorded()[0].io] == [("a", None), ("b", None)]


def test_random_ids_are_outputs(recorded: Recorded) -> None:
    @register("inference", output_vars=["ids"], endpoint=True)
    def predict(count: int) -> list[str]:
        ids = create_random_ids(count)
        return ids

    ids = predict(3)

    assert names(recorded()[0], "output") == ids


def test_mistakes_are_errors_at_decoration() -> None:
    def clean(source: str) -> str:
        target = source
        return target

    with pytest.raises(UnknownVariable, match=r"output_kwargs names 'targit'.*mean target\?"):
        register("c", output_kwargs={"source": "targit"})(clean)
    with pytest.raises(UnknownVariable, match=r"input_vars names 'sauce'.*mean source\?"):
        register("c", input_vars=["sauce"])(clean)
    with pytest.raises(SetupError, match="needs a name"):
        register("")
    with pytest.raises(SetupError, match="is no function"):
        register("c")(12)  # type: ignore[arg-type] # the mistake
