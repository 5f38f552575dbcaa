"""Components: the stages of a pipeline, and the decorator that makes a function one."""

from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar, overload

from mltrace_otel import wire
from mltrace_otel.binding import Variables, check_variable, read_variables
from mltrace_otel.call import Plan, decorate
from mltrace_otel.datatests import Case, Test, list_cases, make_test
from mltrace_otel.errors import SetupError
from mltrace_otel.pointers import accept_names

P = ParamSpec("P")
R = TypeVar("R")
Tests = Iterable[Test | type[Test]]


class Component:
    """A stage of a pipeline and what is always true of it. Subclass it to reuse its words.

    Args:
        name: its name, the same for all its runs.
        owner: who answers for it.
        description: what it does.
        beforeTests: tests to run before it, as classes or instances.
        afterTests: tests to run after it.
        tags: words to find it by.

    Raises:
        SetupError: the name is empty, or one of the tests is none.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the documented arguments
        self,
        name: str,
        owner: str = "",
        description: str = "",
        beforeTests: Tests = (),  # noqa: N803 - documented so
        afterTests: Tests = (),  # noqa: N803
        tags: str | Sequence[str] = (),
    ) -> None:
        if not name:
            raise SetupError("A component needs a name.")
        self.name = name
        self.owner = owner
        self.description = description
        self.beforeTests = [make_test(test) for test in beforeTests]
        self.afterTests = [make_test(test) for test in afterTests]
        self.tags = list(accept_names(tags))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, owner={self.owner!r})"

    @overload
    def run(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def run(
        self,
        function: None = None,
        /,
        *,
        input_vars: str | Sequence[str] = (),
        output_vars: str | Sequence[str] = (),
        endpoint: bool = False,
        staleness_threshold: float | None = None,
        skip_before: bool = False,
        skip_after: bool = False,
        partition: str | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def run(  # noqa: PLR0913 - the documented arguments
        self,
        function: Callable[P, R] | None = None,
        /,
        *,
        input_vars: str | Sequence[str] = (),
        output_vars: str | Sequence[str] = (),
        endpoint: bool = False,
        staleness_threshold: float | None = None,
        skip_before: bool = False,
        skip_after: bool = False,
        partition: str | None = None,
    ) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
        """Record each call of the decorated function as a run of this component.

        Args:
            function: the function, when used as ``@component.run`` without arguments.
            input_vars: variables that hold what it reads. Parameters are read when it is called,
                other local variables when it returns.
            output_vars: variables that hold what it writes, read when it returns.
            endpoint: whether its outputs are answers of an endpoint.
            staleness_threshold: age in seconds above which an input makes a run stale; 30 days if
                nothing is said.
            skip_before: leave out the tests before it.
            skip_after: leave out the tests after it.
            partition: variable that holds what part of the data a call is about, e.g. a day.

        Raises:
            SetupError: what is decorated is no function.
            UnknownVariable: the function lacks a variable that is named here or by a test.
        """

        def decorator(function: Callable[P, R]) -> Callable[P, R]:
            if isinstance(function, staticmethod | classmethod):
                kind = type(function).__name__
                raise SetupError(f"Put the component's decorator below @{kind}, not above it.")
            if not callable(function):
                raise SetupError(f"{function!r} is no function that could be run.")
            plan = Plan(
                component=self.name,
                words=wire.describe_component(self.name, self.owner, self.description, self.tags),
                function=function,
                variables=read_variables(function),
                input_vars=accept_names(input_vars),
                output_vars=accept_names(output_vars),
                before=() if skip_before else _list_cases(self.beforeTests),
                after=() if skip_after else _list_cases(self.afterTests),
                partition=partition,
                endpoint=endpoint,
                staleness_threshold_s=staleness_threshold,
            )
            _check(plan)
            return decorate(plan)

        return decorator if function is None else decorator(function)


def _list_cases(tests: Iterable[Test]) -> tuple[Case, ...]:
    return tuple(case for test in tests for case in list_cases(test))


def _check(plan: Plan) -> None:
    """Find mistakes of set-up now, while nothing has run yet.

    Raises:
        UnknownVariable: see `Component.run`.
    """
    for option in ("input_vars", "output_vars"):
        for name in getattr(plan, option):
            check_variable(plan.variables, name, option)
    if plan.partition is not None:
        check_variable(plan.variables, plan.partition, "partition")
    _check_tests(plan.variables, plan.before, before=True)
    _check_tests(plan.variables, plan.after, before=False)


def _check_tests(variables: Variables, cases: Iterable[Case], *, before: bool) -> None:
    for case in cases:
        for name in case.arguments:
            if name not in case.optional:
                asked_by = f"{case.suite}.{case.name}"
                check_variable(variables, name, asked_by, before=before)
