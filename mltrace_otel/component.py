"""Components: the stages of a pipeline, and the decorator that makes a function one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, get_args, overload

from mltrace_otel.calls.binding import read_variables
from mltrace_otel.calls.plan import Plan
from mltrace_otel.calls.slots import Labels, make_slots
from mltrace_otel.calls.triggers import Trigger, adapt_trigger
from mltrace_otel.calls.wrapping import check_function, decorate
from mltrace_otel.datatests import Suite, Test, make_test, read_suite
from mltrace_otel.errors import SetupError
from mltrace_otel.pointers import accept_names
from mltrace_otel.settings import ProfileScope
from mltrace_otel.telemetry import wire
from mltrace_otel.telemetry.otlp import Attributes

if TYPE_CHECKING:
    from mltrace_otel.questions.history import History

P = ParamSpec("P")
R = TypeVar("R")
Tests = Iterable[Test | type[Test]]
OnTestFailure = Literal["record", "raise"]
Profiles = Literal["outputs", "all", "none"]


class Component:
    """A stage of a pipeline and what is always true of it. Subclass it to reuse its words.

    A subclass may override `beforeRun` and `afterRun`, which are called at each run.

    Args:
        name: its name, the same for all its runs.
        owner: who answers for it.
        description: what it does.
        beforeTests: tests to run before it, as classes or instances.
        afterTests: tests to run after it.
        tags: words to find it by.
        on_test_failure: what a failed test does: ``record`` keeps the outcome and goes on,
            ``raise`` also raises `TestsFailed`, once the run is recorded. Where it is a test before
            the function, the function is not called.
        profiles: whether to record how the ``outputs`` of its runs are distributed, or ``all``
            inputs and outputs, or ``none``; MLTRACE_PROFILES if nothing is said, else the outputs.

    Raises:
        SetupError: the name is empty, one of the tests is none, or a choice is none of those given.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the documented arguments
        self,
        name: str,
        owner: str = "",
        description: str = "",
        beforeTests: Tests = (),  # noqa: N803 - documented so
        afterTests: Tests = (),  # noqa: N803
        tags: str | Sequence[str] = (),
        on_test_failure: OnTestFailure = "record",
        profiles: Profiles | None = None,
    ) -> None:
        if not name:
            raise SetupError("A component needs a name.")
        self.name = name
        self.owner = owner
        self.description = description
        self.beforeTests = [make_test(test) for test in beforeTests]
        self.afterTests = [make_test(test) for test in afterTests]
        self.tags = list(accept_names(tags))
        self.on_test_failure = _check_choice(on_test_failure)
        self.profiles = _check_profiles(profiles)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, owner={self.owner!r})"

    def beforeRun(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N802 - documented so
        """Do something before each run; override it.

        It is called with the `ComponentRun` and a mapping of the arguments by name, or with what of
        that its signature takes: both, the run, nothing, or the arguments as keywords. What it
        raises is warned of and harms nothing.
        """

    def afterRun(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N802
        """Do something after each run that did not fail; override it.

        As `beforeRun`, but it gets the final values of all variables of the function, and what it
        adds to the run is recorded.
        """

    @overload
    def run(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def run(
        self,
        function: None = None,
        /,
        *,
        input_vars: str | Sequence[str] | Labels = (),
        output_vars: str | Sequence[str] = (),
        endpoint: bool = False,
        staleness_threshold: float | None = None,
        auto_log: bool = False,
        skip_before: bool = False,
        skip_after: bool = False,
        partition: str | None = None,
        on_test_failure: OnTestFailure | None = None,
        profiles: Profiles | None = None,
        **renames: str,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def run(  # noqa: PLR0913 - the documented arguments
        self,
        function: Callable[P, R] | None = None,
        /,
        *,
        input_vars: str | Sequence[str] | Labels = (),
        output_vars: str | Sequence[str] = (),
        endpoint: bool = False,
        staleness_threshold: float | None = None,
        auto_log: bool = False,
        skip_before: bool = False,
        skip_after: bool = False,
        partition: str | None = None,
        on_test_failure: OnTestFailure | None = None,
        profiles: Profiles | None = None,
        **renames: str,
    ) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
        """Record each call of the decorated function as a run of this component.

        Args:
            function: the function, when used as ``@component.run`` without arguments.
            input_vars: variables that hold what it reads; a mapping gives each its labels, as
                variables that hold them or as words. Parameters are read when it is called, other
                local variables when it returns.
            output_vars: variables that hold what it writes, read when it returns.
            endpoint: whether its outputs are answers of an endpoint.
            staleness_threshold: age in seconds above which an input makes a run stale; 30 days if
                nothing is said.
            auto_log: whether to save, and record as inputs and outputs, all arguments, final local
                variables and results that are data frames, arrays or models, have "data" or "model"
                in their names, or are larger than 1 MB.
            skip_before: leave out the tests before it.
            skip_after: leave out the tests after it.
            partition: variable that holds what part of the data a call is about, e.g. a day.
            on_test_failure: as for `Component`, whose choice holds if nothing is said.
            profiles: as for `Component`, whose choice holds if nothing is said.
            **renames: which variable holds an argument of the tests, where the names differ.

        Raises:
            SetupError: what is decorated is no function, a renamed argument is no test's, or
                `on_test_failure` or `profiles` makes no sense.
            UnknownVariable: the function lacks a variable that is named here or by a test.
        """
        raises = _check_choice(on_test_failure or self.on_test_failure) == "raise"
        scope = _check_profiles(profiles or self.profiles)

        def decorator(function: Callable[P, R]) -> Callable[P, R]:
            check_function(function)
            before = _read_suites(self.beforeTests, renames)
            after = _read_suites(self.afterTests, renames)
            _check_renames(renames, (*before, *after))
            return decorate(
                Plan(
                    component=self.name,
                    words=self.describe(),
                    function=function,
                    variables=read_variables(function),
                    input_slots=make_slots(input_vars),
                    output_slots=make_slots(output_vars),
                    before=() if skip_before else before,
                    after=() if skip_after else after,
                    before_run=self._find_trigger("beforeRun"),
                    after_run=self._find_trigger("afterRun"),
                    partition=partition,
                    endpoint=endpoint,
                    staleness_threshold_s=staleness_threshold,
                    auto_log=auto_log,
                    raises_on_failed_tests=raises,
                    profiles=scope,
                )
            )

        return decorator if function is None else decorator(function)

    @property
    def history(self) -> "History":
        """The runs of this component that have ended: ``history[0]`` is the first of all."""
        from mltrace_otel.questions.history import History  # noqa: PLC0415 - only questions need HTTP

        return History(self.name)

    def describe(self) -> Attributes:
        """Return what its runs say about it."""
        return wire.describe_component(self.name, self.owner, self.description, self.tags)

    def _find_trigger(self, name: str) -> Trigger | None:
        trigger = getattr(self, name)
        is_ours = getattr(trigger, "__func__", None) is getattr(Component, name)
        return None if is_ours else adapt_trigger(trigger)


def _read_suites(tests: Tests, renames: Mapping[str, str]) -> tuple[Suite, ...]:
    return tuple(read_suite(make_test(test), renames) for test in tests)


def _check_choice(choice: OnTestFailure) -> OnTestFailure:
    if choice not in get_args(OnTestFailure):
        raise SetupError(f"on_test_failure={choice!r} makes no sense: choose 'record' or 'raise'.")
    return choice


def _check_profiles(choice: Profiles | ProfileScope | None) -> ProfileScope | None:
    if choice is None:
        return None
    if choice not in get_args(Profiles):
        choices = "', '".join(get_args(Profiles))
        raise SetupError(f"profiles={choice!r} makes no sense: choose one of '{choices}'.")
    return ProfileScope(choice)


def _check_renames(renames: Mapping[str, str], suites: Iterable[Suite]) -> None:
    arguments = sorted(
        {each.name for suite in suites for case in suite.cases for each in case.arguments}
    )
    for name in renames:
        if name not in arguments:
            close = get_close_matches(name, arguments) or arguments
            hint = f" Did you mean {' or '.join(close[:3])}?" if close else ""
            raise SetupError(f"run has no option {name!r}, and no test such an argument.{hint}")
