# ruff: noqa: RET504 - what is returned must be a local variable first
"""What runs tell of the values that they read and wrote."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from receiving import Receiver, run_program

from mltrace_exporter.model import MetricValue, Run
from mltrace_otel import Component, ComponentRun, SetupError, log_metric
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.telemetry import wire

Recorded = Callable[[], list[Run]]

FRAME = pd.DataFrame({"delay": [1.0, 2.0, None], "carrier": ["UA", "DL", "UA"]})


def list_profiles(run: Run) -> list[tuple[str, str, str | None, int]]:
    return [(each.direction, each.variable, each.pointer, each.rows) for each in run.profiles]


def clean(flights: Any) -> Any:
    cleaned = flights.dropna()
    return cleaned


def test_outputs_that_are_tables_are_profiled(recorded: Recorded) -> None:
    Component("c").run(input_vars=["flights"], output_vars=["cleaned"])(clean)(FRAME)

    (run,) = recorded()
    assert list_profiles(run) == [("output", "cleaned", "c.cleaned", 2)]
    delay, carrier = decode_columns(run.profiles[0].columns)
    assert (delay.name, delay.count, delay.nulls) == ("delay", 2, 0)
    assert (carrier.name, carrier.count) == ("carrier", 2)


@pytest.mark.parametrize(
    ("choice", "environment", "directions"),
    [
        (None, "", ["output"]),
        (None, "all", ["input", "output"]),
        (None, "none", []),
        (None, "nonsense", ["output"]),
        ("all", "", ["input", "output"]),
        ("none", "all", []),
        ("outputs", "all", ["output"]),
        ("all", "none", []),
    ],
)
def test_what_is_profiled_can_be_chosen(
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    choice: Any,
    environment: str,
    directions: list[str],
) -> None:
    monkeypatch.setenv("MLTRACE_PROFILES", environment)
    component = Component("c", profiles=choice)
    component.run(input_vars=["flights"], output_vars=["cleaned"])(clean)(FRAME)
    Component("c").run(input_vars=["flights"], output_vars=["cleaned"], profiles=choice)(clean)(
        FRAME
    )

    for run in recorded():
        assert [each.direction for each in run.profiles] == directions


def test_a_choice_that_is_none_is_told_at_once() -> None:
    with pytest.raises(SetupError, match="profiles='some' makes no sense: choose one of 'outputs'"):
        Component("c", profiles="some")  # type: ignore[arg-type] # what is tried


def test_what_is_returned_is_profiled_once(recorded: Recorded) -> None:
    @Component("named").run(output_vars=["table"])
    def named() -> tuple[Any, Any, str]:
        table = FRAME
        return table, np.ones(3), "path.csv"

    @Component("unnamed").run
    def unnamed() -> Any:
        return FRAME

    named()
    unnamed()

    first, second = recorded()
    assert list_profiles(first) == [
        ("output", "table", "named.table", 3),
        ("output", "return[1]", None, 3),
    ]
    assert list_profiles(second) == [("output", "return", None, 3)]


def test_tables_in_a_list_have_a_profile_each(recorded: Recorded) -> None:
    @Component("split").run(output_vars=["parts"])
    def split() -> Any:
        parts = [FRAME.head(1), FRAME.tail(2)]
        return parts

    split()

    (run,) = recorded()
    assert list_profiles(run) == [
        ("output", "parts[0]", "split.parts[0]", 1),
        ("output", "parts[1]", "split.parts[1]", 2),
    ]


def test_the_name_of_a_content_is_kept_beside_its_variable(recorded: Recorded) -> None:
    from mltrace_otel import register  # noqa: PLC0415 - what is tried

    @register("save", output_kwargs={"path": "table"})
    def save(path: str, table: Any) -> None:
        """Write it somewhere."""

    save("clean.parquet", FRAME)

    (run,) = recorded()
    assert list_profiles(run) == [("output", "table", "clean.parquet", 3)]


def test_numbers_that_a_function_gives_are_metrics(recorded: Recorded) -> None:
    @Component("predict").run(output_vars=["prediction_id"])
    def predict(prediction_id: str, delay: float) -> float:
        return delay * len(prediction_id)

    @Component("train").run(output_vars=["scores", "n"])
    def train() -> Any:
        scores = {"mae": 1.5, "rmse": np.float32(2.5)}
        n = 7
        return scores, n

    predict("p-1", 4.0)
    train()

    first, second = recorded()
    assert first.metrics == (MetricValue("return", 12.0, is_output=True),)
    assert second.metrics == (
        MetricValue("scores.mae", 1.5, is_output=True),
        MetricValue("scores.rmse", 2.5, is_output=True),
        MetricValue("n", 7.0, is_output=True),
    )


def test_a_metric_is_recorded_with_the_run_that_goes_on(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    @Component("inner").run
    def inner() -> None:
        log_metric("loss", np.float64(0.5))

    @Component("outer").run
    async def outer() -> None:
        log_metric("loss", 2)
        inner()
        log_metric("loss", 1)
        log_metric("nothing", float("nan"))
        log_metric("word", "high")  # type: ignore[arg-type] # what is tried

    asyncio.run(outer())
    log_metric("loss", 3)

    first, second = recorded()
    assert first.metrics == (MetricValue("loss", 0.5),)
    assert [metric.name for metric in second.metrics] == ["loss", "nothing"]
    assert second.metrics[0].value == 1.0
    assert [record.getMessage() for record in caplog.records] == [
        "A metric is a name and a number, not 'word' and 'high'.",
        "log_metric('loss', ...) is of no effect outside of a component's run.",
    ]


def test_a_run_that_was_built_by_hand_has_metrics() -> None:
    run = ComponentRun("c")
    run.log_metric("mae", 2.0)
    run.log_metric("mae", 1.0)

    assert [(each.name, each.value) for each in run.metrics] == [("mae", 1.0)]
    with pytest.raises(SetupError, match="A metric is a name and a number"):
        run.log_metric("", 1.0)


def test_of_a_run_that_failed_only_inputs_are_told(recorded: Recorded) -> None:
    @Component("c", profiles="all").run(input_vars=["flights"], output_vars=["made"])
    def fail(flights: Any) -> Any:
        made = flights
        log_metric("rows", len(made))
        raise ValueError(made)

    with pytest.raises(ValueError, match="delay"):
        fail(FRAME)

    (run,) = recorded()
    assert [each.variable for each in run.profiles] == ["flights"]
    assert run.metrics == (MetricValue("rows", 3.0),)


def test_a_value_that_spoils_its_profile_harms_nothing(recorded: Recorded) -> None:
    class Sly(pd.DataFrame):
        def items(self) -> Any:
            raise RuntimeError("not today")

    @Component("c").run(output_vars=["made"])
    def make() -> Any:
        made = Sly(FRAME)
        return made

    assert len(make()) == 3
    (run,) = recorded()
    assert run.execution == "ok"
    assert run.profiles == ()


def test_columns_without_room_are_left_out_and_counted(recorded: Recorded) -> None:
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(
        {f"c{n}": [f"{v}-{n}" * 12 for v in rng.integers(0, 60, 500)] for n in range(60)}
    )

    @Component("c").run(output_vars=["tables"])
    def make() -> Any:
        tables = [wide, wide + "a", wide + "b", wide + "c"]
        return tables

    make()

    (run,) = recorded()
    assert len(run.profiles) == 4
    sizes = [len(each.columns) for each in run.profiles]
    assert max(sizes) <= wire.PROFILE_LIMIT_BYTES
    assert sum(sizes) <= wire.PROFILES_LIMIT_BYTES + 4 * 2
    for each in run.profiles:
        assert len(decode_columns(each.columns)) + each.columns_left_out == 60


def test_without_tables_nothing_that_makes_profiles_is_loaded(
    receiver: Receiver, tmp_path: Path
) -> None:
    ended = run_program(
        tmp_path,
        """
        import sys
        from mltrace_otel import Component, flush, log_metric

        @Component("c").run(output_vars=["y"])
        def work(x):
            y = x + 1
            log_metric("x", x)
            return y

        work(1)
        assert flush(10)
        print([name for name in sys.modules if "mltrace_otel.profil" in name])
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )

    assert ended.stderr == ""
    assert ended.stdout == "['mltrace_otel.profiling']\n"
