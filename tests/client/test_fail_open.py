# ruff: noqa: N802, RET504 - documented names; what is returned must be a local variable first
"""Whatever is wrong with us, the user's function does what it would have, and we say so once."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from builders import names
from receiving import Receiver, run_program

from mltrace_exporter.model import Run
from mltrace_otel import Component, Test

Recorded = Callable[[], list[Run]]


def refuse(*_: object) -> NoReturn:
    raise RuntimeError("refused")


def make_hostile(*methods: str) -> object:
    """Return an object whose named methods raise."""
    return type("Hostile", (), dict.fromkeys(methods, refuse))()


@pytest.mark.parametrize(
    "method",
    [
        *("__repr__", "__str__", "__eq__", "__bool__", "__len__", "__hash__", "__getattr__"),
        *("__getattribute__", "__reduce_ex__", "__iter__", "__sizeof__", "__fspath__"),
        *("__array__", "__dataframe__", "__getstate__", "__class_getitem__"),
    ],
)
def test_a_value_that_raises_in_any_method_is_passed_through(
    recorded: Recorded,
    caplog: pytest.LogCaptureFixture,
    method: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAVE_DIR", str(tmp_path))
    value = make_hostile(method)

    class Look(Test):
        def testIt(self, x: object) -> None:
            if x:
                raise ValueError

    @Component("c", beforeTests=[Look]).run(
        input_vars={"x": "label"}, output_vars=["y"], partition="x", auto_log=True
    )
    def work(x: object, label: object) -> object:
        y = [x, label]
        return y

    with caplog.at_level(logging.WARNING):
        result: Any = work(value, value)
        work(value, value)

    assert result[0] is result[1] is value
    first, second = recorded()
    assert (first.execution, second.execution) == ("ok", "ok")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) <= 1, said


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "pigeon"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "-1"},
        {"OTEL_EXPORTER_OTLP_HEADERS": "what"},
        {"DB_SERVER": "http://"},
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_RESOURCE_ATTRIBUTES": "=,=,a"},
        {"MLTRACE_HOME": "/proc/nowhere"},
        {"SAVE_DIR": "pigeon://nowhere"},
    ],
)
def test_settings_that_make_no_sense_harm_nothing(
    tmp_path: Path, receiver: Receiver, variables: dict[str, str]
) -> None:
    ended = run_program(
        tmp_path,
        """
        from mltrace_otel import Component

        @Component("c").run(input_vars=["x"], output_vars=["y"], auto_log=True)
        def work(x, data):
            y = x + "-out"
            return y

        print(work("a", [1, 2]), work("b", [3]))
        """,
        **{"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **variables},
    )

    assert (ended.status, ended.stdout) == (0, "a-out b-out\n")
    assert ended.duration_s < 10
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2, ended.stderr


def test_a_disabled_sdk_records_nothing_and_says_so_once(
    receiver: Receiver, tmp_path: Path
) -> None:
    ended = run_program(
        tmp_path,
        """
        from mltrace_otel import Component, ComponentRun, log_component_run

        @Component("c").run
        def work():
            return 1

        work(), work()
        log_component_run(ComponentRun("c"))
        """,
        OTEL_SDK_DISABLED="TRUE",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )

    assert ended.stderr == "Component runs are not recorded, as OTEL_SDK_DISABLED says.\n"
    assert receiver.headers == []


@pytest.mark.parametrize("raised", [ValueError("no"), SystemExit(3), GeneratorExit("odd")])
def test_a_test_that_raises_anything_is_a_failed_test(
    recorded: Recorded, raised: BaseException
) -> None:
    class Wild(Test):
        def testIt(self) -> None:
            raise raised

    assert Component("c", beforeTests=[Wild], afterTests=[Wild]).run(len)([1]) == 1

    assert [test.status for test in recorded()[0].tests] == ["fail", "fail"]


def test_problems_are_said_once_a_function_and_together(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Component):
        def beforeRun(self) -> None:
            refuse()

        def afterRun(self) -> None:
            refuse()

    work = Broken("c").run(lambda: 1)

    assert [work() for _ in range(3)] == [1, 1, 1]
    (warning,) = caplog.records
    assert warning.getMessage() == (
        "Runs of component 'c' are recorded without beforeRun (RuntimeError: refused); "
        "afterRun (RuntimeError: refused). This is said once."
    )
    assert len(recorded()) == 3


def test_a_function_that_runs_out_of_stack_is_recorded(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["n"])
    def descend(n: str) -> str:
        return descend(n)

    with pytest.raises(RecursionError):
        descend("x")

    runs = recorded()
    assert len(runs) > 10
    assert {run.error_type for run in runs} == {"RecursionError"}
    assert sys.getprofile() is None


def test_a_directory_that_vanished_costs_no_run(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    scope: dict[str, Any] = {}
    exec("def work(x): return x", scope)  # noqa: S102 - a function without a file
    try:
        assert Component("c").run(input_vars=["x"])(scope["work"])("a.csv") == "a.csv"
    finally:
        os.chdir(tmp_path)

    assert names(recorded()[0], "input") == ["a.csv"]


def test_a_function_may_change_its_context_for_good(recorded: Recorded) -> None:
    from opentelemetry import context, trace  # noqa: PLC0415

    span = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))

    @Component("c").run
    def leak() -> None:
        context.attach(trace.set_span_in_context(span))

    @Component("c").run
    def leak_in_steps() -> Iterator[int]:
        context.attach(trace.set_span_in_context(span))
        yield 1

    leak()
    list(leak_in_steps())

    assert trace.get_current_span() is trace.INVALID_SPAN
    assert len(recorded()) == 2
