# ruff: noqa: N802 - names as in unittest
import unittest
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import pytest

from mltrace_exporter.model import Run
from mltrace_otel import Component, SetupError, Test
from mltrace_otel.datatests import (
    Argument,
    Case,
    NoHistory,
    describe_error,
    make_test,
    read_suite,
    run_suite,
)

Recorded = Callable[[], list[Run]]


class AllTest(Test):
    """A test method for each assertion, that fails where the value is no 1."""

    def testAlmostEqual(self, x: float) -> None:
        self.assertAlmostEqual(x, 1)

    def testEqual(self, x: int) -> None:
        self.assertEqual(x, 1)

    def testFalse(self, x: int) -> None:
        self.assertFalse(x != 1)

    def testGreater(self, x: int) -> None:
        self.assertGreater(2, abs(x))

    def testGreaterEqual(self, x: int) -> None:
        self.assertGreaterEqual(1, abs(x))

    def testIn(self, x: int) -> None:
        self.assertIn(x, [1])

    def testIsNone(self, x: int) -> None:
        self.assertIsNone(None if x == 1 else x)

    def testLess(self, x: int) -> None:
        self.assertLess(x, 2)

    def testLessEqual(self, x: int) -> None:
        self.assertLessEqual(x, 1)

    def testNotEqual(self, x: int) -> None:
        self.assertNotEqual(x, 2)

    def testPlain(self, x: int) -> None:
        assert x == 1

    def testTrue(self, x: int) -> None:
        self.assertTrue(x == 1)

    def helper(self, x: int) -> None:
        raise AssertionError(x)


ALL = read_suite(AllTest(), {})
CASES = {case.name: case for case in ALL.cases}


def test_methods_that_begin_with_test_are_cases_by_name() -> None:
    assert list(CASES) == sorted(name for name in vars(AllTest) if name.startswith("test"))
    assert ALL.name == "AllTest"
    assert CASES["testIn"].arguments == (Argument("x", "x", "x", is_optional=False),)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_assertion_passes_and_fails(case: Case) -> None:
    suite = replace(ALL, cases=(case,))
    (passed,) = run_suite(suite, {"x": 1}, "before")
    (failed,) = run_suite(suite, {"x": 2}, "after")

    assert (passed.status, passed.message, passed.phase) == ("pass", None, "before")
    assert (failed.status, failed.phase) == ("fail", "after")
    assert (failed.message or "").startswith("AssertionError")
    assert passed.duration_s is not None
    assert 0 <= passed.duration_s < 1


def test_a_class_and_an_instance_are_tests_with_a_name() -> None:
    class Named(Test):
        def __init__(self, name: str = "outliers") -> None:
            super().__init__(name=name)

        def testIt(self) -> None:
            """Pass."""

    assert read_suite(make_test(Named), {}).name == "outliers"
    assert read_suite(make_test(Named("others")), {}).name == "others"


def test_any_exception_is_a_failure_with_its_message() -> None:
    class Wild(Test):
        def testKey(self) -> None:
            raise KeyError("missing")

        def testMute(self) -> None:
            raise NotImplementedError

    key, mute = run_suite(read_suite(Wild(), {}), {}, "after")

    assert key.message == "KeyError: 'missing'"
    assert mute.message == "NotImplementedError"


def test_an_interrupt_ends_the_program_and_no_test() -> None:
    class Interrupted(Test):
        def testIt(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suite(read_suite(Interrupted(), {}), {}, "after")


def test_an_exception_without_words_is_named() -> None:
    class Mute(Exception):  # noqa: N818 - for this test
        def __str__(self) -> str:
            raise RuntimeError

    assert describe_error(Mute()) == "Mute"
    assert describe_error(ValueError("no")) == "ValueError: no"


def test_outcomes_arrive_with_phase_message_and_duration(recorded: Recorded) -> None:
    class Rows(Test):
        def testEnough(self, rows: list[int], least: int = 2) -> None:
            self.assertGreaterEqual(len(rows), least)

    @Component("c", beforeTests=[Rows], afterTests=[Rows]).run
    def grow(rows: list[int]) -> list[int]:
        rows = [*rows, 2]
        return rows  # noqa: RET504 - a variable to test

    assert grow([1]) == [1, 2]

    (run,) = recorded()
    assert [(test.phase, test.status, test.message) for test in run.tests] == [
        ("before", "fail", "AssertionError: 1 not greater than or equal to 2"),
        ("after", "pass", None),
    ]
    assert all(test.duration_s is not None and test.duration_s < 1 for test in run.tests)
    assert run.execution == "ok"


def test_a_default_gives_way_to_a_variable_of_that_name(recorded: Recorded) -> None:
    class Limit(Test):
        def testLimit(self, x: int, limit: int = 10) -> None:
            self.assertLess(x, limit)

    @Component("c", beforeTests=[Limit], afterTests=[Limit]).run
    def work(x: int) -> int:
        limit = 1
        return x + limit

    assert work(5) == 6

    before, after = recorded()[0].tests
    assert (before.status, after.status) == ("pass", "fail")


def test_a_test_of_a_variable_that_was_never_bound_could_not_be_run_and_says_so(
    recorded: Recorded,
) -> None:
    class Found(Test):
        def testFound(self, found: str) -> None:
            self.assertTrue(found)

    @Component("c", afterTests=[Found]).run
    def look(where: str) -> None:
        if where:
            found = where
            assert found

    look("")

    (test,) = recorded()[0].tests
    assert (test.status, test.message) == ("error", "found had no value")


def test_after_tests_do_not_run_where_the_function_raised(recorded: Recorded) -> None:
    class Never(Test):
        def testIt(self) -> None:
            """Pass."""

    @Component("c", afterTests=[Never]).run
    def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        work()

    assert recorded()[0].tests == ()


class Hooked(Test):
    def __init__(self, broken: str = "") -> None:
        self.broken = broken  # and no name is given
        self.called: list[str] = []

    def call(self, name: str) -> None:
        self.called.append(name)
        if name == self.broken:
            raise ValueError(name)

    def beforeTests(self) -> None:
        self.call("beforeTests")

    def preTest(self) -> None:
        self.call("preTest")

    def postTest(self) -> None:
        self.call("postTest")

    def afterTests(self) -> None:
        self.call("afterTests")

    def testOne(self) -> None:
        self.call("testOne")

    def testTwo(self) -> None:
        self.call("testTwo")


def test_hooks_are_called_around_tests() -> None:
    test = Hooked()
    outcomes = run_suite(read_suite(test, {}), {}, "after")

    assert [(each.suite, each.status) for each in outcomes] == [("Hooked", "pass")] * 2
    assert test.called == [
        *("beforeTests", "preTest", "testOne", "postTest"),
        *("preTest", "testTwo", "postTest", "afterTests"),
    ]


@pytest.mark.parametrize(
    ("broken", "statuses", "not_called"),
    [
        ("beforeTests", ["error", "error"], {"preTest", "testOne", "testTwo"}),
        ("preTest", ["error", "error"], {"testOne", "testTwo"}),
        ("testOne", ["fail", "pass"], set()),
        ("postTest", ["error", "error"], set()),
        ("afterTests", ["pass", "error"], set()),
    ],
)
def test_a_hook_that_raises_is_an_error_of_its_tests(
    broken: str, statuses: list[str], not_called: set[str]
) -> None:
    test = Hooked(broken)
    outcomes = run_suite(read_suite(test, {}), {}, "after")

    prefix = "" if broken == "testOne" else f"{broken} raised "
    assert [each.status for each in outcomes] == statuses
    assert {each.message for each in outcomes} <= {None, f"{prefix}ValueError: {broken}"}
    assert not not_called & set(test.called)
    assert test.called[-1] == "afterTests"


def test_what_a_test_found_is_not_hidden_by_a_hook_that_raises_after_it() -> None:
    class Both(Test):
        def postTest(self) -> None:
            raise OSError

        def testIt(self) -> None:
            raise ValueError

    (outcome,) = run_suite(read_suite(Both(), {}), {}, "after")

    assert (outcome.status, outcome.message) == ("fail", "ValueError")


def test_a_test_that_does_not_apply_is_skipped_with_its_reason() -> None:
    class Skipping(Test):
        def testMute(self) -> None:
            raise unittest.SkipTest("")

        def testOurs(self) -> None:
            raise NoHistory("no history: nobody kept any")

        def testSkip(self) -> None:
            self.skip("it is: Sunday")

    outcomes = run_suite(read_suite(Skipping(), {}), {}, "after")

    assert [(each.status, each.message) for each in outcomes] == [
        ("skip", None),
        ("skip", "no history: nobody kept any"),
        ("skip", "it is: Sunday"),
    ]


def test_a_hook_can_skip_all_tests() -> None:
    class Skipping(Hooked):
        def beforeTests(self) -> None:
            self.skip("there is no file")

    test = Skipping()
    outcomes = run_suite(read_suite(test, {}), {}, "after")

    assert [(each.status, each.message) for each in outcomes] == [("skip", "there is no file")] * 2
    assert test.called == ["afterTests"]


class Suspended(Test):
    async def testIt(self) -> None:
        """Never run."""


class Yielding(Test):
    def testIt(self) -> Iterator[int]:
        yield 1


class Streaming(Test):
    async def testIt(self) -> AsyncIterator[int]:
        yield 1


@pytest.mark.parametrize("test", [Suspended, Yielding, Streaming])
def test_a_test_that_calling_would_not_run_is_refused_where_the_function_is_decorated(
    test: type[Test],
) -> None:
    with pytest.raises(SetupError, match=rf"^{test.__name__}.testIt is asynchronous or yields"):
        Component("c", afterTests=[test]).run(lambda: None)


class Sized(Test):
    def __init__(self, variable: str) -> None:
        super().__init__(name=f"Sized({variable})")
        self.renames = {"value": variable}

    def testSize(self, value: list[int]) -> None:
        self.assertEqual(len(value), 1)


def test_an_instance_can_say_which_variable_it_looks_at(recorded: Recorded) -> None:
    @Component("c", afterTests=[Sized("left"), Sized("right")]).run
    def split(rows: list[int]) -> tuple[list[int], list[int]]:
        left, right = rows[:1], rows[1:]
        return left, right

    split([1, 2, 3])

    assert [(test.suite, test.status) for test in recorded()[0].tests] == [
        ("Sized(left)", "pass"),
        ("Sized(right)", "fail"),
    ]


def test_what_an_instance_looks_at_can_be_called_otherwise_in_the_function(
    recorded: Recorded,
) -> None:
    @Component("c", beforeTests=[Sized("left")]).run(left="rows")
    def take(rows: list[int]) -> int:
        return len(rows)

    take([1])

    assert recorded()[0].tests[0].status == "pass"
    with pytest.raises(SetupError, match="no test such an argument"):
        Component("c", beforeTests=[Sized("left")]).run(value="rows")(take)


class Remembering(Test):
    def testIt(self, history: object = None) -> None:
        raise AssertionError(history)


def test_a_method_with_a_history_is_given_one() -> None:
    suite = read_suite(Remembering(), {})
    (outcome,) = run_suite(suite, {"history": "a variable"}, "after", "earlier runs")

    assert suite.list_variables() == set()
    assert outcome.message == "AssertionError: earlier runs"


def test_a_variable_is_what_a_method_gets_as_history_where_that_is_said() -> None:
    suite = read_suite(Remembering(), {"history": "past"})
    (outcome,) = run_suite(suite, {"past": "a variable"}, "after", "earlier runs")

    assert outcome.message == "AssertionError: a variable"
