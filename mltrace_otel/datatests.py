"""Tests of data and models. In: a Test and the values of variables. Out: outcomes.

Any exception in a test is a failure of that test and stops nothing.
"""

import inspect
import unittest
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from mltrace_otel.contract.api import TestOutcome
from mltrace_otel.errors import SetupError

MESSAGE_LIMIT = 8 * 1024

_CHECKS = unittest.TestCase()


class Test:
    """A reusable set of tests: methods whose names begin with ``test``.

    Their arguments are named after parameters of the decorated function or, for tests that run
    after it, after any of its variables.
    """

    __test__ = False  # these are no tests of the user's test suite

    def __init__(self, name: str = "") -> None:
        self.name = name or type(self).__name__

    # Its overloads are too many for a static method's type.
    assertAlmostEqual: Callable[..., None] = staticmethod(  # noqa: N815 - as in unittest
        _CHECKS.assertAlmostEqual
    )
    assertEqual = staticmethod(_CHECKS.assertEqual)  # noqa: N815
    assertFalse = staticmethod(_CHECKS.assertFalse)  # noqa: N815
    assertGreater = staticmethod(_CHECKS.assertGreater)  # noqa: N815
    assertGreaterEqual = staticmethod(_CHECKS.assertGreaterEqual)  # noqa: N815
    assertIn = staticmethod(_CHECKS.assertIn)  # noqa: N815
    assertIsNone = staticmethod(_CHECKS.assertIsNone)  # noqa: N815
    assertLess = staticmethod(_CHECKS.assertLess)  # noqa: N815
    assertLessEqual = staticmethod(_CHECKS.assertLessEqual)  # noqa: N815
    assertNotEqual = staticmethod(_CHECKS.assertNotEqual)  # noqa: N815
    assertTrue = staticmethod(_CHECKS.assertTrue)  # noqa: N815


@dataclass(frozen=True, slots=True)
class Case:
    """One test method.

    Attributes:
        suite: name of its Test.
        name: name of the method.
        run: the method.
        arguments: its arguments' names.
        optional: those that have a default.
    """

    suite: str
    name: str
    run: Callable[..., object]
    arguments: tuple[str, ...]
    optional: frozenset[str]


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


def list_cases(test: Test) -> list[Case]:
    """Return the test methods of a Test, by name."""
    names = [name for name in dir(test) if name.startswith("test")]
    return [_read_case(test, name) for name in names if callable(getattr(test, name))]


def _read_case(test: Test, name: str) -> Case:
    method = getattr(test, name)
    parameters = [
        p
        for p in inspect.signature(method).parameters.values()
        if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    return Case(
        suite=test.name,
        name=name,
        run=method,
        arguments=tuple(p.name for p in parameters),
        optional=frozenset(p.name for p in parameters if p.default is not p.empty),
    )


def run_case(case: Case, arguments: Mapping[str, object], phase: str) -> TestOutcome:
    """Run a test with the values of its arguments; ``phase`` is ``before`` or ``after``."""
    started_s = perf_counter()
    message = _fail(case, arguments)
    return TestOutcome(
        suite=case.suite,
        case=case.name,
        phase=phase,
        status="pass" if message is None else "fail",
        message=message,
        duration_s=perf_counter() - started_s,
    )


def _fail(case: Case, arguments: Mapping[str, object]) -> str | None:
    missing = [name for name in case.arguments if name not in arguments]
    missing = [name for name in missing if name not in case.optional]
    if missing:
        return f"{' and '.join(missing)} had no value"
    try:
        case.run(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - what a test raises is what it found, exits too
        return describe_error(error)
    return None


def describe_error(error: BaseException) -> str:
    """Return ``Type: message``, shortened. A message that cannot be made is left out."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may be broken
        message = ""
    name = type(error).__name__
    return f"{name}: {shorten(message)}" if message else name


def shorten(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return a text whose middle is left out if it is longer than ``limit`` characters."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]} ... {text[-half:]}"
