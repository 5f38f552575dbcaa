"""Tests of data and models. In: a Test and the values of variables. Out: outcomes.

Any exception in a test is a failure of that test and stops nothing. A test that could not be run,
because what prepares it raised or a variable had no value, has the outcome ``error``; one that says
that it does not apply, ``skip``.
"""

import inspect
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from types import MappingProxyType
from typing import NoReturn

from mltrace_otel.contract.outcomes import TestOutcome, TestStatus
from mltrace_otel.errors import SetupError

MESSAGE_LIMIT = 8 * 1024
HISTORY = "history"

_CHECKS = unittest.TestCase()
_Verdict = tuple[TestStatus, str | None]
_PASSED: _Verdict = (TestStatus.PASS, None)


class Finding(AssertionError):  # noqa: N818 - it is what a test is for
    """What a test found, in a sentence of its own: `Test.fail` raises it."""


class NoHistory(unittest.SkipTest):
    """What a test wants to know of earlier runs cannot be had; the test that asked is skipped."""


class Test:
    """A reusable set of tests: methods whose names begin with ``test``.

    Their arguments are named after parameters of the decorated function or, for tests that run
    after it, after any of its variables. An argument named ``history`` gets the component's earlier
    runs, as `PastRuns`. Override `beforeTests`, `afterTests`, `preTest` and `postTest` for what
    they have in common.

    Attributes:
        name: its name, the same in all runs.
        renames: what its arguments are called for the decorated function, where that differs:
            ``{"df": "orders"}`` gives its argument ``df`` the variable ``orders``.
    """

    __test__ = False  # these are no tests of the user's test suite
    name = ""
    renames: Mapping[str, str] = MappingProxyType({})

    def __init__(self, name: str = "") -> None:
        self.name = name or type(self).__name__

    def beforeTests(self) -> None:  # noqa: N802 - documented so
        """Prepare: called before the first of its tests. If it raises, none is run."""

    def preTest(self) -> None:  # noqa: N802
        """Prepare a test: called before each. If it raises, the test is not run."""

    def postTest(self) -> None:  # noqa: N802
        """Tidy up after a test: called after each. If it raises, a test that passed is an error."""

    def afterTests(self) -> None:  # noqa: N802
        """Tidy up: called after the last of its tests. If it raises, as `postTest`."""

    @staticmethod
    def skip(reason: str) -> NoReturn:
        """Say that a test does not apply here, as `unittest.SkipTest` does."""
        raise unittest.SkipTest(reason)

    @staticmethod
    def fail(sentence: str) -> NoReturn:
        """Say what the test found, if that is not what it should be."""
        raise Finding(sentence)

    # Its overloads are too many for a static method's type.
    assertAlmostEqual: Callable[..., None] = staticmethod(  # noqa: N815 - as in unittest
        _CHECKS.assertAlmostEqual
    )
    assertEqual = staticmethod(_CHECKS.assertEqual)  # noqa: N815
    assertCountEqual = staticmethod(_CHECKS.assertCountEqual)  # noqa: N815
    assertDictEqual = staticmethod(_CHECKS.assertDictEqual)  # noqa: N815
    assertFalse = staticmethod(_CHECKS.assertFalse)  # noqa: N815
    assertGreater = staticmethod(_CHECKS.assertGreater)  # noqa: N815
    assertGreaterEqual = staticmethod(_CHECKS.assertGreaterEqual)  # noqa: N815
    assertIn = staticmethod(_CHECKS.assertIn)  # noqa: N815
    assertIs = staticmethod(_CHECKS.assertIs)  # noqa: N815
    assertIsInstance = staticmethod(_CHECKS.assertIsInstance)  # noqa: N815
    assertIsNone = staticmethod(_CHECKS.assertIsNone)  # noqa: N815
    assertIsNot = staticmethod(_CHECKS.assertIsNot)  # noqa: N815
    assertIsNotNone = staticmethod(_CHECKS.assertIsNotNone)  # noqa: N815
    assertLess = staticmethod(_CHECKS.assertLess)  # noqa: N815
    assertLessEqual = staticmethod(_CHECKS.assertLessEqual)  # noqa: N815
    assertListEqual = staticmethod(_CHECKS.assertListEqual)  # noqa: N815
    assertNotEqual = staticmethod(_CHECKS.assertNotEqual)  # noqa: N815
    assertNotIn = staticmethod(_CHECKS.assertNotIn)  # noqa: N815
    assertNotIsInstance = staticmethod(_CHECKS.assertNotIsInstance)  # noqa: N815
    assertSetEqual = staticmethod(_CHECKS.assertSetEqual)  # noqa: N815
    assertTrue = staticmethod(_CHECKS.assertTrue)  # noqa: N815


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a test method.

    Attributes:
        parameter: name of the method's parameter.
        name: what it is called for the decorated function.
        variable: the function's variable that holds it: ``name`` if nothing else is said.
        is_optional: whether it has a default.
    """

    parameter: str
    name: str
    variable: str
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One test method.

    Attributes:
        name: name of the method.
        run: the method.
        arguments: its arguments, but for the history.
        is_stateful: whether it wants to know of earlier runs.
    """

    name: str
    run: Callable[..., object]
    arguments: tuple[Argument, ...]
    is_stateful: bool


@dataclass(frozen=True, slots=True)
class Suite:
    """A Test and its methods."""

    name: str
    test: Test
    cases: tuple[Case, ...]

    def list_variables(self) -> set[str]:
        """Return the variables that its tests look at."""
        return {argument.variable for case in self.cases for argument in case.arguments}


def make_test(test: Test | type[Test]) -> Test:
    """Return a Test itself, or one of a class.

    Raises:
        SetupError: it is neither, or the class cannot be called without arguments.
    """
    if isinstance(test, Test):
        return test
    if not (isinstance(test, type) and issubclass(test, Test)):
        raise SetupError(
            f"{test!r} is no test: give a subclass of mltrace_otel.Test, or one of its."
        )
    try:
        return test()
    except TypeError as error:
        raise SetupError(f"{test.__name__} cannot be made ({error}): give an instance.") from error


def read_suite(test: Test, renames: Mapping[str, str]) -> Suite:
    """Return a Test's methods by name; ``renames`` says which variables hold their arguments.

    Raises:
        SetupError: a method is asynchronous or a generator, so that to call it would test nothing.
    """
    methods = [getattr(test, name) for name in sorted(dir(test)) if name.startswith("test")]
    cases = tuple(_read_case(test, each, renames) for each in methods if callable(each))
    return Suite(str(test.name or type(test).__name__), test, cases)


def _read_case(test: Test, method: Callable[..., object], renames: Mapping[str, str]) -> Case:
    if _is_suspended(method):
        name = f"{type(test).__name__}.{method.__name__}"
        raise SetupError(f"{name} is asynchronous or yields: write it as an ordinary method.")
    parameters = [
        p
        for p in inspect.signature(method).parameters.values()
        if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    arguments = [_read_argument(p, test.renames, renames) for p in parameters]
    is_stateful = any(p.name == HISTORY for p in parameters) and HISTORY not in renames
    return Case(
        name=method.__name__,
        run=method,
        arguments=tuple(
            each for each in arguments if not (is_stateful and each.parameter == HISTORY)
        ),
        is_stateful=is_stateful,
    )


def _is_suspended(method: Callable[..., object]) -> bool:
    return any(
        tell(method)
        for tell in (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        )
    )


def _read_argument(
    parameter: inspect.Parameter, own: Mapping[str, str], renames: Mapping[str, str]
) -> Argument:
    name = own.get(parameter.name, parameter.name)
    is_optional = parameter.default is not parameter.empty
    return Argument(parameter.name, name, renames.get(name, name), is_optional)


def run_suite(
    suite: Suite, values: Mapping[str, object], phase: str, history: object = None
) -> list[TestOutcome]:
    """Run a Test's methods with the values of variables.

    Args:
        suite: the Test.
        values: the values that variables of the decorated function have now.
        phase: ``before`` or ``after`` the function.
        history: what the methods get that want to know of earlier runs.
    """
    test = suite.test
    prepared = _judge_hook(test.beforeTests)
    outcomes = [_run_case(suite, case, values, phase, history, prepared) for case in suite.cases]
    status, message = _judge_hook(test.afterTests)
    if outcomes and outcomes[-1].status == TestStatus.PASS:
        outcomes[-1] = replace(outcomes[-1], status=status, message=message)
    return outcomes


def _run_case(  # noqa: PLR0913, PLR0917 - what run_suite is given, and what it found
    suite: Suite,
    case: Case,
    values: Mapping[str, object],
    phase: str,
    history: object,
    prepared: _Verdict,
) -> TestOutcome:
    started_s = perf_counter()
    verdict = prepared
    if prepared == _PASSED:
        verdict = _judge_hook(suite.test.preTest)
        if verdict == _PASSED:
            verdict = _judge_case(case, values, history)
        tidied = _judge_hook(suite.test.postTest)
        verdict = tidied if verdict == _PASSED else verdict
    status, message = verdict
    duration_s = perf_counter() - started_s
    return TestOutcome(suite.name, case.name, phase, status, message, duration_s)


def _judge_case(case: Case, values: Mapping[str, object], history: object) -> _Verdict:
    given = {
        each.parameter: values[each.variable] for each in case.arguments if each.variable in values
    }
    missing = [
        each.variable
        for each in case.arguments
        if not (each.is_optional or each.parameter in given)
    ]
    if missing:
        return TestStatus.ERROR, f"{' and '.join(missing)} had no value"
    if case.is_stateful:
        given[HISTORY] = history
    return _judge(lambda: case.run(**given))


def _judge_hook(hook: Callable[[], object]) -> _Verdict:
    status, message = _judge(hook)
    if status == TestStatus.FAIL:
        name = getattr(hook, "__name__", "what prepares it")
        return TestStatus.ERROR, f"{name} raised {message}"
    return status, message


def _judge(step: Callable[[], object]) -> _Verdict:
    """Return whether a step passed, and what it raised in words."""
    try:
        step()
    except KeyboardInterrupt:
        raise
    except unittest.SkipTest as skip:
        return TestStatus.SKIP, _read_message(skip) or None
    except Finding as finding:
        return TestStatus.FAIL, _read_message(finding)
    except BaseException as error:  # noqa: BLE001 - what a test raises is what it found, exits too
        return TestStatus.FAIL, describe_error(error)
    return _PASSED


def describe_error(error: BaseException) -> str:
    """Return ``Type: message``, shortened. A message that cannot be made is left out."""
    message = _read_message(error)
    name = name_class(error)[1].rpartition(".")[2]
    return f"{name}: {message}" if message else name


def _read_message(error: BaseException) -> str:
    try:
        return shorten(str(error))
    except BaseException:  # noqa: BLE001 - an exception's own __str__ may be broken
        return ""


def name_class(error: BaseException) -> tuple[str, str]:
    """Return module and qualified name of an error's class; its metaclass may refuse to tell."""
    kind = type(error)
    try:
        return str(kind.__module__), str(kind.__qualname__)
    except BaseException:  # noqa: BLE001 - whatever the metaclass raises
        return "builtins", "Exception"


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return a text whose middle is left out if it is longer than ``limit`` characters."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]} ... {text[-half:]}"
