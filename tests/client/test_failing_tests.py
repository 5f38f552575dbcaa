"""What failed tests do to the program: nothing, unless the component asks for more."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing

import pytest

from mltrace_exporter.model import Run
from mltrace_otel import Component, SetupError, Test, TestsFailed

Recorded = Callable[[], list[Run]]


class Small(Test):
    def test_small(self, x: int) -> None:
        if x >= 10:
            raise ValueError(f"{x} is large")

    def test_whole(self, x: int) -> None:
        self.assertIsInstance(x, int)


class Unprepared(Test):
    def preTest(self) -> None:  # noqa: N802 - documented so
        raise OSError("no file")

    def test_it(self) -> None:
        """Never run."""


class Elsewhere(Test):
    def test_it(self) -> None:
        self.skip("not here")


CAREFUL = Component("work", beforeTests=[Small], afterTests=[Small], on_test_failure="raise")
LARGE = "1 test {0} work failed: Small.test_small: ValueError: 50 is large"


def describe(run: Run) -> tuple[str, list[str]]:
    return run.execution, [f"{test.phase} {test.status}" for test in run.tests]


def test_a_failed_test_after_the_function_raises_once_the_run_is_recorded(
    recorded: Recorded,
) -> None:
    @CAREFUL.run(output_vars=["x"])
    def work(x: int) -> int:
        x = x * 10
        return x  # noqa: RET504 - a variable to test

    with pytest.raises(TestsFailed) as caught:
        work(5)

    assert str(caught.value) == LARGE.format("after")
    assert caught.value.component == "work"
    assert [each.case for each in caught.value.outcomes] == ["test_small"]
    (run,) = recorded()
    assert describe(run) == ("ok", ["before pass", "before pass", "after fail", "after pass"])
    assert run.message is None
    assert [io.name for io in run.io]


def test_where_a_test_before_it_failed_the_function_is_not_called(recorded: Recorded) -> None:
    called = []

    @CAREFUL.run(input_vars=["x"], output_vars=["y"])
    def work(x: int) -> int:
        called.append(x)
        y = x
        return y  # noqa: RET504

    with pytest.raises(TestsFailed, match="before work failed"):
        work(50)

    (run,) = recorded()
    assert called == []
    assert describe(run) == ("error", ["before fail", "before pass"])
    assert run.error_type == "mltrace_otel.errors.TestsFailed"
    assert run.message == f"TestsFailed: {LARGE.format('before')}"
    assert {io.direction for io in run.io} == {"input"}


def test_a_test_that_could_not_be_run_raises_too_and_one_that_was_skipped_does_not(
    recorded: Recorded,
) -> None:
    @Component(
        "work", beforeTests=[Elsewhere], afterTests=[Unprepared], on_test_failure="raise"
    ).run
    def work() -> None:
        """Do nothing."""

    with pytest.raises(
        TestsFailed, match=r"^1 test after work failed: Unprepared\.test_it: preTest"
    ):
        work()

    assert describe(recorded()[0]) == ("ok", ["before skip", "after error"])


def test_passed_tests_raise_nothing(recorded: Recorded) -> None:
    @CAREFUL.run
    def work(x: int) -> int:
        return x

    assert work(1) == 1
    assert describe(recorded()[0])[0] == "ok"


def test_each_function_can_choose(recorded: Recorded) -> None:
    @CAREFUL.run(on_test_failure="record")
    def lenient(x: int) -> int:
        return x

    @Component("other", afterTests=[Small]).run(on_test_failure="raise")
    def strict(x: int) -> int:
        return x

    assert lenient(50) == 50
    with pytest.raises(TestsFailed):
        strict(50)
    assert [describe(run)[0] for run in recorded()] == ["ok", "ok"]


def test_another_choice_is_refused() -> None:
    with pytest.raises(
        SetupError, match="on_test_failure='ignore' makes no sense: choose 'record'"
    ):
        Component("work", on_test_failure="ignore")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="on_test_failure='ignore' makes no sense"):
        Component("work").run(on_test_failure="ignore")  # type: ignore[call-overload]


def test_the_functions_own_exception_wins(recorded: Recorded) -> None:
    @Component("work", afterTests=[Small], on_test_failure="raise").run
    def work(x: int) -> None:
        raise ValueError(x)

    with pytest.raises(ValueError, match="50"):
        work(50)

    assert describe(recorded()[0]) == ("error", [])


def test_the_programs_own_end_wins(recorded: Recorded) -> None:
    @Component("work", afterTests=[Small], on_test_failure="raise").run
    def work(x: int) -> None:
        raise SystemExit(0 if x else 1)

    with pytest.raises(SystemExit):
        work(50)

    assert describe(recorded()[0]) == ("ok", ["after fail", "after pass"])


def test_methods_raise(recorded: Recorded) -> None:
    class Pipeline:
        @CAREFUL.run
        def work(self, x: int) -> int:
            return x

    with pytest.raises(TestsFailed):
        Pipeline().work(50)

    assert len(recorded()) == 1


def test_coroutines_raise_to_who_awaits_them(recorded: Recorded) -> None:
    @CAREFUL.run
    async def work(x: int) -> int:
        await asyncio.sleep(0)
        x = x * 10
        return x  # noqa: RET504

    for number, phase in ((50, "before"), (5, "after")):
        with pytest.raises(TestsFailed, match=phase):
            asyncio.run(work(number))
    assert asyncio.run(work(0)) == 0

    assert [describe(run)[0] for run in recorded()] == ["error", "ok", "ok"]


def test_generators_raise_before_their_first_or_after_their_last_value(recorded: Recorded) -> None:
    @CAREFUL.run
    def work(x: int) -> Iterator[int]:
        yield x
        x = x * 10

    values = work(5)
    assert next(values) == 5
    with pytest.raises(TestsFailed, match="after"):
        next(values)
    with pytest.raises(TestsFailed, match="before"):
        next(work(50))

    assert [describe(run)[0] for run in recorded()] == ["ok", "error"]


def test_asynchronous_generators_raise_after_their_last_value(recorded: Recorded) -> None:
    @CAREFUL.run
    async def work(x: int) -> AsyncIterator[int]:
        yield x
        x = x * 10

    async def read() -> list[int]:
        return [value async for value in work(5)]

    with pytest.raises(TestsFailed, match="after"):
        asyncio.run(read())

    assert len(recorded()) == 1


def test_a_generator_that_its_consumer_leaves_records_and_raises_nothing(
    recorded: Recorded,
) -> None:
    @CAREFUL.run
    def plain(x: int) -> Iterator[int]:
        while x < 99:
            x += 45
            yield x

    @CAREFUL.run
    async def asynchronous(x: int) -> AsyncIterator[int]:
        while x < 99:
            x += 45
            yield x

    async def leave() -> None:
        async with aclosing(asynchronous(5)) as values:  # type: ignore[type-var]
            assert await anext(values) == 50

    with closing(plain(5)) as values:  # type: ignore[type-var]
        assert next(values) == 50
    asyncio.run(leave())

    after = ("ok", ["before pass", "before pass", "after fail", "after pass"])
    assert [describe(run) for run in recorded()] == [after, after]


def test_a_component_within_another_ends_both(recorded: Recorded) -> None:
    @CAREFUL.run
    def inner(x: int) -> int:
        return x

    @Component("outer").run
    def outer(x: int) -> int:
        return inner(x)

    with pytest.raises(TestsFailed):
        outer(50)

    assert [(run.component, run.execution) for run in recorded()] == [
        ("work", "error"),
        ("outer", "error"),
    ]
