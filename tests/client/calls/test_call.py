# ruff: noqa: RET504 - what is returned must be a local variable first
import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
import pandas as pd
import pytest
from builders import names
from receiving import Receiver
from sklearn.linear_model import LinearRegression

from mltrace_exporter.model import Io, Run
from mltrace_otel import Component, IOPointer, Test, flush

Recorded = Callable[[], list[Run]]
EXCEPTION = "exception"


class Unreadable:
    """A value that refuses everything."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no eq")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __reduce__(self) -> NoReturn:
        raise RuntimeError("no pickle")


def test_an_exception_passes_through_and_is_recorded(
    recorded: Recorded, receiver: Receiver
) -> None:
    error = ValueError("bad rows")

    @Component("c").run(input_vars=["x"], output_vars=["y"])
    def work(x: str) -> str:
        y = x
        if y:
            raise error
        return y

    with pytest.raises(ValueError, match="bad rows") as caught:
        work("in.csv")

    assert caught.value is error
    (run,) = recorded()
    assert (run.execution, run.error_type, run.message) == (
        "error",
        "ValueError",
        "ValueError: bad rows",
    )
    assert names(run, "input") == ["in.csv"]
    assert names(run, "output") == []
    (event,) = receiver.spans()[-1].events  # before it comes a start marker if this took long
    said = {pair.key: pair.value.string_value for pair in event.attributes}
    assert event.name == EXCEPTION
    assert said["exception.type"] == "ValueError"
    assert said["exception.message"] == "bad rows"
    assert "in work" in said["exception.stacktrace"]


def test_an_exception_that_cannot_be_shown_is_recorded(recorded: Recorded) -> None:
    class Mute(Exception):  # noqa: N818 - for this test
        def __str__(self) -> str:
            raise RuntimeError("no words")

    @Component("c").run
    def work() -> None:
        raise Mute

    with pytest.raises(Mute):
        work()

    assert recorded()[0].message == "Mute"


def test_an_exception_of_many_words_is_shortened(recorded: Recorded, receiver: Receiver) -> None:
    @Component("c").run
    def work() -> None:
        raise ValueError("begin" + "x" * 6_000_000 + "end")

    with pytest.raises(ValueError, match=r"^begin"):
        work()

    message = recorded()[0].message or ""
    assert message.startswith("ValueError: beginxx")
    assert message.endswith("xxend")
    assert len(receiver.accepted[0]) < 200_000


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit("no data"), SystemExit(2)])
def test_an_exit_passes_through_and_is_recorded(recorded: Recorded, error: BaseException) -> None:
    @Component("c").run
    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        work()

    assert caught.value is error
    assert recorded()[0].error_type == type(error).__name__


def test_generators_are_recorded_when_they_end(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["x"], output_vars=["last"])
    def count(x: str) -> Iterator[str]:
        last = x
        for number in "123":
            last = x + number
            yield last

    @Component("c").run(input_vars=["x"], output_vars=["last"])
    async def count_async(x: str) -> AsyncIterator[str]:
        last = x
        for number in "12":
            last = x + number
            yield last

    async def consume() -> list[str]:
        return [each async for each in count_async("b")]

    assert list(count("a")) == ["a1", "a2", "a3"]
    assert asyncio.run(consume()) == ["b1", "b2"]
    cut = count("c")
    next(cut)
    cut.close()  # type: ignore[attr-defined] # a generator, as the function makes

    runs = recorded()
    assert [names(run, "input") for run in runs] == [["a"], ["b"], ["c"]]
    assert [names(run, "output") for run in runs] == [["a3"], ["b2"], ["c1"]]
    assert {run.execution for run in runs} == {"ok"}


def test_a_wrong_call_raises_what_python_says(recorded: Recorded) -> None:
    @Component("c").run(output_vars=["y"])
    def work(x: str) -> str:
        y = x
        return y

    with pytest.raises(TypeError, match=r"work\(\) got an unexpected keyword argument 'z'"):
        work(z=1)  # type: ignore[call-arg] # the mistake

    assert sys.getprofile() is None
    assert recorded()[0].error_type == "TypeError"


def test_a_coroutine_is_recorded_when_it_ends(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["x"], output_vars=["y"])
    async def work(x: str) -> str:
        await asyncio.sleep(0)
        y = x + "-out"
        await asyncio.sleep(0)
        return y

    async def both() -> list[str]:
        return list(await asyncio.gather(work("a"), work("b")))

    assert asyncio.run(both()) == ["a-out", "b-out"]

    assert {(*names(run, "input"), *names(run, "output")) for run in recorded()} == {
        ("a", "a-out"),
        ("b", "b-out"),
    }


def test_a_coroutine_passes_its_exception_through(recorded: Recorded) -> None:
    error = KeyError("k")

    @Component("c").run
    async def work() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(KeyError) as caught:
        asyncio.run(work())

    assert caught.value is error
    assert recorded()[0].execution == "error"


def test_nested_calls_are_parent_and_child(recorded: Recorded) -> None:
    @Component("inner").run
    def inner() -> int:
        return 1

    @Component("outer").run
    def outer() -> int:
        return inner()

    outer()

    child, parent = recorded()
    assert (child.component, parent.component) == ("inner", "outer")
    assert child.parent_span_id == parent.id.span_id
    assert child.id.trace_id == parent.id.trace_id


def test_recursion_does_not_mix_frames(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["n"], output_vars=["here"])
    def descend(n: str) -> str:
        here = f"here-{n}"
        if len(n) < 4:
            descend(n + "x")
        return here

    descend("x")

    assert [(*names(run, "input"), *names(run, "output")) for run in recorded()] == [
        ("x" * depth, f"here-{'x' * depth}") for depth in (4, 3, 2, 1)
    ]


def test_variables_that_are_unbound_or_none_are_left_out(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["gone"], output_vars=["never", "nothing", "gone", "y"])
    def work(gone: str, *, flag: bool = False) -> None:
        nothing = None
        y = "y"
        del gone
        if flag:
            never = "never"
            assert [never, nothing, y]

    work("gone")

    (run,) = recorded()
    assert names(run, "input") == ["gone"]
    assert names(run, "output") == ["y"]


def test_parameters_are_read_at_entry(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["x", "files"], output_vars=["x", "files"])
    def work(x: str, files: list[str]) -> str:
        x = x + "-rebound"
        files.append("b.csv")
        return x

    work("x", ["a.csv"])

    (run,) = recorded()
    assert names(run, "input") == ["x", "a.csv"]
    assert names(run, "output") == ["x-rebound", "a.csv", "b.csv"]


def test_defaults_and_collected_arguments_are_inputs(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["a", "b", "rest", "more"])
    def work(a: str, /, b: str = "b", *rest: str, **more: str) -> str:
        return a + b + "".join(rest) + "".join(more)

    work("a")
    work("a", "B", "r1", "r2")

    first, second = recorded()
    assert set(names(first, "input")) == {"a", "b", "c(more)"}
    assert set(names(second, "input")) == {"a", "B", "r1", "r2", "c(more)"}


def test_variables_of_inner_functions_and_closures_are_read(recorded: Recorded) -> None:
    outside = "outside"

    @Component("c").run(output_vars=["shared", "path"])
    def work(path: str) -> str:
        shared = "before"

        def change() -> None:
            nonlocal shared, path
            shared, path = "after", path + "-changed"

        change()
        return shared + outside

    assert work("p") == "afteroutside"
    assert names(recorded()[0], "output") == ["after", "p-changed"]


def test_threads_have_runs_of_their_own(recorded: Recorded) -> None:
    together = threading.Barrier(4)

    @Component("c").run(input_vars=["x"], output_vars=["y"])
    def work(x: str) -> None:
        y = f"{x}-out"
        together.wait(10)
        assert y

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, "abcd"))

    runs = recorded()
    assert {(*names(run, "input"), *names(run, "output")) for run in runs} == {
        (x, f"{x}-out") for x in "abcd"
    }
    assert all(run.parent_span_id is None for run in runs)


def test_methods_of_all_kinds_are_recorded(recorded: Recorded) -> None:
    component = Component("c")

    class Pipeline:
        prefix = "p"

        @component.run(input_vars=["x"], output_vars=["y"])
        def plain(self, x: str) -> str:
            y = self.prefix + x
            return y

        @classmethod
        @component.run(output_vars=["y"])
        def of_class(cls, x: str) -> str:
            y = cls.prefix + x
            return y

        @staticmethod
        @component.run(output_vars=["y"])
        def static(x: str) -> str:
            y = "s" + x
            return y

    assert (Pipeline().plain("1"), Pipeline.of_class("2"), Pipeline.static("3")) == (
        "p1",
        "p2",
        "s3",
    )
    assert [names(run, "output") for run in recorded()] == [["p1"], ["p2"], ["s3"]]


def test_non_ascii_source_and_names_arrive(recorded: Recorded) -> None:
    @Component("säubern").run(input_vars=["größe"], output_vars=["ausgabe"])
    def säubern(größe: str) -> str:  # noqa: PLC2401 - for this test
        ausgabe = größe + "→ü"
        return ausgabe

    säubern("数据.csv")

    (run,) = recorded()
    assert run.component == "säubern"
    assert names(run, "output") == ["数据.csv→ü"]
    assert "ausgabe = größe" in (run.code or "")


def test_a_name_that_is_no_utf8_costs_no_run(recorded: Recorded) -> None:
    @Component("c").run(input_vars=["path"], output_vars=["out"])
    def work(path: str) -> None:
        out = "out.csv"
        raise ValueError(path + out)

    with pytest.raises(ValueError, match=r"caf"):
        work("caf\udce9.csv")

    (run,) = recorded()
    assert names(run, "input") == ["caf\\udce9.csv"]
    assert run.message == "ValueError: caf\\udce9.csvout.csv"


def test_a_function_without_source_is_recorded(recorded: Recorded) -> None:
    scope: dict[str, Any] = {}
    exec("def work(x):\n    y = x + '!'\n    return y", scope)  # noqa: S102 - the point of this test
    work = Component("c").run(output_vars=["y"])(scope["work"])

    assert work("a") == "a!"
    (run,) = recorded()
    assert run.code is None
    assert names(run, "output") == ["a!"]


def test_a_callable_that_is_no_function_is_recorded(recorded: Recorded) -> None:
    class Predictor:
        def __eq__(self, other: object) -> bool:
            return self is other

        __hash__ = None  # type: ignore[assignment] # as a dataclass has

        def __call__(self, x: int) -> int:
            return x + 1

    assert Component("object").run(Predictor())(1) == 2
    assert Component("builtin").run(len)([1]) == 1
    assert [run.component for run in recorded()] == ["object", "builtin"]


def test_values_that_refuse_everything_never_reach_the_user(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    value = Unreadable()

    @Component("c").run(input_vars=["x", "path"], output_vars=["y"])
    def work(x: Unreadable, path: str) -> Unreadable:
        assert path
        y = x
        return y

    assert work(value, "in.csv") is value

    (run,) = recorded()
    assert run.io[1] == Io("input", "in.csv", "data")
    assert [io.digest for io in run.io] == [None, None, None]
    assert caplog.records == []


def test_a_broken_test_never_reaches_the_user(recorded: Recorded) -> None:
    class Broken(Test):
        def testExit(self, x: str) -> None:  # noqa: N802
            sys.exit(x)

        def testName(self, x: str) -> str:  # noqa: N802
            return x.nothing  # type: ignore[attr-defined,no-any-return] # the mistake

    @Component("c", beforeTests=[Broken], afterTests=[Broken]).run
    def work(x: str) -> str:
        return x

    assert work("a") == "a"
    assert [test.status for test in recorded()[0].tests] == ["fail"] * 4


def test_a_model_and_its_user_are_linked_within_the_process(recorded: Recorded) -> None:
    frame = pd.DataFrame({"x": np.arange(50.0), "y": np.arange(50.0) * 2})

    @Component("training").run(input_vars=["frame"], output_vars=["model", "features"])
    def train(frame: pd.DataFrame) -> tuple[LinearRegression, pd.DataFrame]:
        features = frame[["x"]] + 1
        model = LinearRegression().fit(features, frame["y"])
        return model, features

    @Component("inference").run(input_vars=["model", "features"], output_vars=["scores"])
    def predict(model: LinearRegression, features: pd.DataFrame) -> Any:
        scores = model.predict(features)
        return scores

    model, features = train(frame)
    predict(model, features.copy())

    training, inference = recorded()
    outputs = {io.name: io for io in training.io if io.direction == "output"}
    inputs = {io.name: io for io in inference.io if io.direction == "input"}
    assert outputs["training.model"].type == "model"
    assert outputs["training.features"].type == "data"
    for variable in ("model", "features"):
        read, written = inputs[f"inference({variable})"], outputs[f"training.{variable}"]
        assert read.digest == written.digest is not None
        assert read.producer == training.id
    assert [io.producer for io in training.io] == [None] * 3


def test_ten_thousand_ids_are_one_link(recorded: Recorded, receiver: Receiver) -> None:
    @Component("inference").run(output_vars=["ids"])
    def predict() -> list[str]:
        ids = [f"prediction-{number}" for number in range(10_000)]
        return ids

    ids = predict()

    assert names(recorded()[0], "output") == ids
    assert len(receiver.spans()[0].links) == 1


def test_fifty_thousand_ids_are_no_limit(recorded: Recorded) -> None:
    @Component("inference").run(output_vars=["ids"])
    def predict() -> list[str]:
        ids = [f"prediction-{number}" for number in range(50_000)]
        return ids

    predict()

    assert len(recorded()[0].io) == 50_000


def test_a_finished_call_keeps_nothing_alive(receiver: Receiver) -> None:
    alive: list[int] = []

    class Big:
        def __init__(self) -> None:
            alive.append(1)

        def __del__(self) -> None:
            alive.pop()

    @Component("c").run(input_vars=["x"], output_vars=["y"])
    def work(x: Big) -> None:
        y = [x]
        assert y

    def call_once() -> None:
        held = Big()
        Component("closure").run(lambda: held)()

    work(Big())
    call_once()
    assert flush(10)
    assert receiver.accepted
    assert alive == []


def test_pointers_of_a_value_are_those_of_its_elements(recorded: Recorded) -> None:
    class Table:
        def __new__(cls) -> Self:
            return super().__new__(cls)

    @Component("c").run(output_vars=["paths", "table"])
    def work() -> None:
        paths = {Path("b.csv"), Path("a.csv")}
        table = Table()
        assert paths
        assert table

    work()

    assert names(recorded()[0], "output") == ["a.csv", "b.csv", "c.table"]
    assert IOPointer("a.csv").digest is None
