# ruff: noqa: RET504 - what is returned must be a local variable first
"""Functions of every kind are recorded, and behave as they did before they were decorated."""

import asyncio
import contextlib
import functools
import gc
import inspect
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders import names
from opentelemetry import trace
from receiving import Receiver, run_program

from mltrace_exporter.model import Run
from mltrace_otel import Component, register

Recorded = Callable[[], list[Run]]


def current_span_id() -> int:
    return trace.get_current_span().get_span_context().span_id


@Component("child").run
def child() -> int:
    return current_span_id()


def converse() -> Generator[str, str, str]:
    """Say what was sent and thrown."""
    said: list[str] = []
    while True:
        try:
            got = yield f"heard {len(said)}"
        except ValueError as error:
            got = f"thrown {error}"
        if got == "end":
            return " ".join(said)
        said.append(str(got))


def talk(make: Callable[[], Generator[str, str, str]]) -> list[object]:
    """Use everything that a generator can do, and return what came of it."""
    generator = make()
    heard: list[object] = [next(generator), generator.send("a"), generator.send("b")]
    heard.append(generator.throw(ValueError("c")))
    try:
        generator.send("end")
    except StopIteration as stop:
        heard.append(stop.value)
    heard.append(next(generator, "over"))
    return heard


def test_a_generator_sends_throws_and_returns_as_before(recorded: Recorded) -> None:
    assert talk(Component("c").run(converse)) == talk(converse)

    (run,) = recorded()
    assert run.execution == "ok"


def test_what_a_generator_does_when_it_is_closed_is_up_to_it(recorded: Recorded) -> None:
    def clean_up() -> Iterator[int]:
        try:
            yield 1
        finally:
            events.append("closed")

    def refuse() -> Iterator[int]:
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    def finish() -> Generator[int, None, str]:
        with contextlib.suppress(GeneratorExit):
            yield 1
        return "done"

    component = Component("c")
    events: list[str] = []
    closing: Any = component.run(clean_up)()
    refusing: Any = component.run(refuse)()
    finishing: Any = component.run(finish)()
    assert [next(each) for each in (closing, refusing, finishing)] == [1, 1, 1]

    closing.close()
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        refusing.close()
    assert finishing.close() == ("done" if sys.version_info >= (3, 13) else None)

    assert events == ["closed"]
    refusing.close()
    assert [run.message for run in recorded()] == [None] * 3


def test_a_generator_that_fails_later_is_a_failed_run(recorded: Recorded) -> None:
    @Component("c").run
    def count() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    with pytest.raises(KeyError, match="two"):
        list(count())

    assert recorded()[0].error_type == "KeyError"


def test_a_generator_that_nobody_consumes_is_no_run(recorded: Recorded) -> None:
    @Component("c").run
    def count() -> Iterator[int]:
        yield 1

    count()
    child()

    assert [run.component for run in recorded()] == ["child"]


def test_a_generator_that_is_collected_as_garbage_is_a_run(recorded: Recorded) -> None:
    @Component("c").run(output_vars=["number"])
    def count() -> Iterator[str]:
        for number in "123":  # noqa: UP028 - a variable to record
            yield number

    def look_at_one() -> None:
        generator = count()
        next(iter(generator))

    look_at_one()
    gc.collect()

    (run,) = recorded()
    assert (run.execution, names(run, "output")) == ("ok", ["1"])


def test_only_the_body_of_a_generator_is_in_its_run(recorded: Recorded) -> None:
    @Component("generator").run
    def count() -> Iterator[int]:
        yield child()
        with trace.use_span(outside):
            yield child()
            yield child()
        yield child()

    @Component("consumer").run
    def consume() -> list[tuple[int, int]]:
        return [(each, child()) for each in count()]

    outside = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))
    before = current_span_id()
    consume()

    assert current_span_id() == before
    runs = recorded()
    children, (generator, consumer) = runs[:-2], runs[-2:]
    assert generator.parent_span_id == consumer.id.span_id
    own, beyond = generator.id.span_id, (2).to_bytes(8, "big")
    of_body, of_consumer = children[::2], children[1::2]
    assert [run.parent_span_id for run in of_body] == [own, beyond, beyond, own]
    assert {run.parent_span_id for run in of_consumer} == {consumer.id.span_id}


def test_only_the_body_of_an_async_generator_is_in_its_run(recorded: Recorded) -> None:
    @Component("generator").run
    async def count() -> AsyncIterator[int]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield child()

    @Component("consumer").run
    async def consume() -> None:
        async for _ in count():
            child()

    asyncio.run(consume())

    runs = recorded()
    children, (generator, consumer) = runs[:-2], runs[-2:]
    assert generator.parent_span_id == consumer.id.span_id
    parents = [run.parent_span_id for run in children]
    assert parents == [generator.id.span_id, consumer.id.span_id] * 2


def test_an_async_generator_sends_throws_and_closes_as_before(recorded: Recorded) -> None:
    async def echo() -> AsyncGenerator[str, str]:
        got = "begin"
        try:
            while True:
                try:
                    got = yield got
                except ValueError as error:
                    got = f"thrown {error}"
        finally:
            await asyncio.sleep(0)
            events.append("closed")

    async def talk_async(make: Callable[[], AsyncGenerator[str, str]]) -> list[str]:
        generator = make()
        heard = [await anext(generator), await generator.asend("a")]
        heard.append(await generator.athrow(ValueError("b")))
        await generator.aclose()
        heard.append(await anext(generator, "over"))
        return heard

    events: list[str] = []
    plain = asyncio.run(talk_async(echo))
    decorated = asyncio.run(talk_async(Component("c").run(echo)))

    assert decorated == plain == ["begin", "a", "thrown b", "over"]
    assert events == ["closed", "closed"]
    assert recorded()[0].execution == "ok"


def test_an_async_generator_that_is_left_early_is_a_run(recorded: Recorded) -> None:
    @Component("c").run(output_vars=["number"])
    async def count() -> AsyncIterator[str]:
        for number in "123":
            yield number

    async def look_at_one() -> None:
        async for _ in count():
            break

    asyncio.run(look_at_one())

    (run,) = recorded()
    assert (run.message, names(run, "output")) == (None, ["1"])


def test_a_coroutine_that_is_dropped_leaves_the_program_where_it_was(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    @Component("c").run
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    async def drop() -> None:
        coroutine: Any = wait()
        asyncio.get_running_loop().call_soon(coroutine.send, None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del coroutine
        gc.collect()
        child()

    asyncio.run(drop())

    dropped, other = recorded()
    assert (dropped.execution, dropped.error_type) == ("error", "GeneratorExit")
    assert other.parent_span_id is None
    assert caplog.records == []


def test_a_cancelled_coroutine_is_a_failed_run(recorded: Recorded) -> None:
    @Component("c").run
    async def wait() -> None:
        await asyncio.sleep(60)

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await wait()

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())

    assert recorded()[0].error_type == "asyncio.exceptions.CancelledError"


def test_coroutines_side_by_side_have_children_of_their_own(recorded: Recorded) -> None:
    @Component("c").run
    async def work() -> tuple[int, int]:
        before = current_span_id()
        await asyncio.sleep(0)
        child()
        return before, current_span_id()

    async def both() -> None:
        first, second = await asyncio.gather(work(), work())
        assert first[0] == first[1] != second[0] == second[1]

    asyncio.run(both())

    runs = recorded()
    children = {run.parent_span_id for run in runs if run.component == "child"}
    assert children == {run.id.span_id for run in runs if run.component == "c"}


def test_what_inspect_says_of_a_function_stays_true() -> None:
    async def coroutine() -> None:
        """Do nothing."""

    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    run = Component("c").run
    assert inspect.iscoroutinefunction(run(coroutine))
    assert inspect.isgeneratorfunction(run(generator))
    assert inspect.isasyncgenfunction(run(async_generator))
    assert inspect.signature(run(child)) == inspect.signature(child)


def test_an_async_call_operator_and_a_partial_are_recorded(recorded: Recorded) -> None:
    class Predictor:
        async def __call__(self, x: str) -> str:
            await asyncio.sleep(0)
            y = x + "-predicted"
            return y

    def join(prefix: str, x: str) -> str:
        y = prefix + x
        return y

    predict = Component("object").run(output_vars=["y"])(Predictor())
    joined = Component("partial").run(input_vars=["x"], output_vars=["y"])(
        functools.partial(join, "p-")
    )

    async def call() -> str:
        return await predict("a")

    assert asyncio.run(call()) == "a-predicted"
    assert joined("b") == "p-b"
    assert [names(run, "output") for run in recorded()] == [["a-predicted"], ["p-b"]]


def pass_through(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def pass_through_async(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return await function(*args, **kwargs)

    return wrapper


def pass_through_generator(function: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from function(*args, **kwargs)

    return wrapper


def test_the_variables_of_a_function_below_other_decorators_are_read(recorded: Recorded) -> None:
    component = Component("c")

    @pass_through
    @component.run(output_vars=["y"])
    @pass_through
    @functools.lru_cache
    def plain(x: str) -> str:
        y = x + "-plain"
        return y

    @component.run(output_vars=["y"])
    @pass_through
    async def hidden_coroutine(x: str) -> str:
        await asyncio.sleep(0)
        y = x + "-hidden"
        await asyncio.sleep(0)
        return y

    @component.run(output_vars=["y"])
    @pass_through_async
    async def coroutine(x: str) -> str:
        y = x + "-async"
        await asyncio.sleep(0)
        return y

    @component.run(output_vars=["y"])
    @pass_through_generator
    def generator(x: str) -> Iterator[str]:
        y = x + "-generated"
        yield y

    async def call() -> list[str]:
        return [await hidden_coroutine("a"), await coroutine("a")]

    assert plain("a") == "a-plain"
    assert asyncio.run(call()) == ["a-hidden", "a-async"]
    assert list(generator("a")) == ["a-generated"]
    assert sys.getprofile() is None
    assert [names(run, "output") for run in recorded()] == [
        ["a-plain"],
        ["a-hidden"],
        ["a-async"],
        ["a-generated"],
    ]


def test_a_function_that_was_not_called_has_no_variables_and_that_is_said_once(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    @Component("c").run(output_vars=["y"])
    @functools.lru_cache
    def work(x: str) -> str:
        y = x + "!"
        return y

    assert [work("a"), work("a"), work("a")] == ["a!"] * 3
    assert [names(run, "output") for run in recorded()] == [["a!"], [], []]
    (warning,) = caplog.records
    assert "without the final values of its variables" in warning.getMessage()


def test_properties_lambdas_and_builtins_are_recorded(recorded: Recorded) -> None:
    class Table:
        @property
        @Component("property").run
        def rows(self) -> int:
            return 3

    double = Component("lambda").run(input_vars=["x"])(lambda x: x * 2)

    assert (Table().rows, double("a"), Component("builtin").run(sorted)([2, 1])) == (
        3,
        "aa",
        [1, 2],
    )
    assert [run.component for run in recorded()] == ["property", "lambda", "builtin"]


def test_tasks_in_threads_are_children_where_python_says_so(recorded: Recorded) -> None:
    @Component("parent").run
    async def parent() -> None:
        await asyncio.to_thread(child)

    @Component("pool").run
    def pool() -> None:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(lambda _: child(), range(4)))

    asyncio.run(parent())
    pool()

    runs = recorded()
    assert runs[0].parent_span_id == runs[1].id.span_id
    assert {run.parent_span_id for run in runs[2:6]} == {None}


def test_forked_and_spawned_children_record_their_calls(receiver: Receiver, tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import multiprocessing
        from mltrace_otel import Component, flush

        @Component("work").run(input_vars=["x"], output_vars=["y"])
        def work(x):
            y = x + "-out"
            return y

        @Component("fork").run
        def fork():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(sorted(pool.map(work, ["f1", "f2", "f3"])))
                pool.close()
                pool.join()

        if __name__ == "__main__":
            fork()
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, ["s1"]))
                pool.close()
                pool.join()
            assert flush(10)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )

    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.split("\n")[0] == "['f1-out', 'f2-out', 'f3-out']"
    fork, runs = receiver.runs("fork"), receiver.runs("work")
    assert sorted(names(run, "output")[0] for run in runs) == [
        *("f1-out", "f2-out", "f3-out", "s1-out")
    ]
    parents = {names(run, "input")[0]: run.parent_span_id for run in runs}
    assert {parents[x] for x in ("f1", "f2", "f3")} == {fork[0].id.span_id}
    assert parents["s1"] is None


def test_coverage_still_sees_every_line(tmp_path: Path, receiver: Receiver) -> None:
    program = tmp_path / "covered.py"
    program.write_text(
        "from mltrace_otel import Component\n"
        "@Component('c').run(output_vars=['y'])\n"
        "def work(x):\n"
        "    y = x + 1\n"
        "    y += 1\n"
        "    return y\n"
        "work(1)\n"
        "work(2)\n"
    )
    tracer = (
        "import sys, runpy\n"
        "lines = set()\n"
        "def trace(frame, event, _):\n"
        "    if frame.f_code.co_filename.endswith('covered.py'):\n"
        "        if event == 'line': lines.add(frame.f_lineno)\n"
        "        return trace\n"
        "sys.settrace(trace)\n"
        f"runpy.run_path({str(program)!r})\n"
        "sys.settrace(None)\n"
        "print(sorted(lines))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", tracer],
        env={"HOME": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert done.stdout.strip() == "[1, 2, 3, 4, 5, 6, 7, 8]"


def test_a_decorated_function_can_be_decorated_again(recorded: Recorded) -> None:
    @Component("outer").run(output_vars=["y"])
    @register("inner", output_vars=["y"])
    def work(x: str) -> str:
        y = x + "!"
        return y

    assert work("a") == "a!"
    inner, outer = recorded()
    assert (inner.component, outer.component) == ("inner", "outer")
    assert names(inner, "output") == names(outer, "output") == ["a!"]
    assert inner.parent_span_id == outer.id.span_id
