"""Tests of data and models. In: a Test and the values of variables. Out: outcomes.

Any exception in a test is a failure of that test and stops nothing.
"""

import inspect
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from mltrace_otel.contract.outcomes import TestOutcome
from mltrace_otel.errors import SetupError

MESSAGE_LIMIT = 8 * 1024

_CHECKS = unittest.TestCase()


class Test:
    """A reusable set of tests: methods whose names begin with ``test``.

    Their arguments are named after parameters of the decorated function or, for tests that run
    after it, after any of its variables. Override `beforeTests`, `afterTests`, `preTest` and
    `postTest` for what they have in common.
    """

    __test__ = False  # these are no tests of the user's test suite
    name = ""

    def __init__(self, name: str = "") -> None:
        self.name = name or type(self).__name__

    def beforeTests(self) -> None:  # noqa: N802 - documented so
        """Prepare: called before the first of its tests. If it raises, all of them fail."""

    def preTest(self) -> None:  # noqa: N802
        """Prepare a test: called before each. If it raises, the test fails."""

    def postTest(self) -> None:  # noqa: N802
        """Tidy up after a test: called after each. If it raises, the test fails."""

    def afterTests(self) -> None:  # noqa: N802
        """Tidy up: called after the last of its tests. If it raises, the last test fails."""

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
class Case:
    """One test method.

    Attributes:
        name: name of the method.
        run: the method.
        arguments: the variable that holds it, for each of its arguments.
        optional: the arguments that have a default.
    """

    name: str
    run: Callable[..., object]
    arguments: Mapping[str, str]
    optional: frozenset[str]


@dataclass(frozen=True, slots=True)
class Suite:
    """A Test and its methods."""

    name: str
    test: Test
    cases: tuple[Case, ...]

    def list_variables(self) -> set[str]:
        """Return the variables that its tests look at."""
        return {variable for case in self.cases for variable in case.arguments.values()}


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
    """Return a Test's methods by name; ``renames`` says which variables hold their arguments."""
    methods = [getattr(test, name) for name in sorted(dir(test)) if name.startswith("test")]
    cases = tuple(_read_case(each, renames) for each in methods if callable(each))
    return Suite(str(test.name or type(test).__name__), test, cases)


def _read_case(method: Callable[..., object], renames: Mapping[str, str]) -> Case:
    parameters = [
        p
        for p in inspect.signature(method).parameters.values()
        if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    return Case(
        name=method.__name__,
        run=method,
        arguments={p.name: renames.get(p.name, p.name) for p in parameters},
        optional=frozenset(p.name for p in parameters if p.default is not p.empty),
    )


def run_suite(suite: Suite, values: Mapping[str, object], phase: str) -> list[TestOutcome]:
    """Run a Test's methods with the values of variables; ``phase`` is ``before`` or ``after``."""
    test = suite.test
    unprepared = _fail(test.beforeTests)
    outcomes = [_run_case(suite, case, values, phase, unprepared) for case in suite.cases]
    untidied = _fail(test.afterTests)
    if outcomes and untidied and outcomes[-1].status == "pass":
        outcomes[-1] = replace(outcomes[-1], status="fail", message=untidied)
    return outcomes


def _run_case(
    suite: Suite, case: Case, values: Mapping[str, object], phase: str, unprepared: str | None
) -> TestOutcome:
    started_s = perf_counter()
    message = unprepared or _fail(suite.test.preTest) or _check(case, values)
    untidied = None if unprepared else _fail(suite.test.postTest)
    message = message or untidied
    return TestOutcome(
        suite=suite.name,
        case=case.name,
        phase=phase,
        status="pass" if message is None else "fail",
        message=message,
        duration_s=perf_counter() - started_s,
    )


def _check(case: Case, values: Mapping[str, object]) -> str | None:
    arguments = {
        argument: values[variable]
        for argument, variable in case.arguments.items()
        if variable in values
    }
    missing = [name for name in case.arguments if name not in {*arguments, *case.optional}]
    if missing:
        return f"{' and '.join(case.arguments[name] for name in missing)} had no value"
    return _fail(lambda: case.run(**arguments))


def _fail(step: Callable[[], object]) -> str | None:
    """Return what a step raised, in words; None if it passed."""
    try:
        step()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - what a test raises is what it found, exits too
        return describe_error(error)
    return None


def describe_error(error: BaseException) -> str:
    """Return ``Type: message``, shortened. A message that cannot be made is left out."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - an exception's own __str__ may be broken
        message = ""
    name = name_class(error)[1].rpartition(".")[2]
    return f"{name}: {shorten(message)}" if message else name


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
