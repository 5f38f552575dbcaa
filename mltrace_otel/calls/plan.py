"""What is known of a decorated function before it is called. In: options. Out: a checked plan."""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from mltrace_otel.calls.binding import Variables, check_variable
from mltrace_otel.calls.slots import Slot
from mltrace_otel.calls.triggers import Trigger
from mltrace_otel.datatests import Suite
from mltrace_otel.provenance import find_repository, read_source
from mltrace_otel.settings import ProfileScope
from mltrace_otel.telemetry import wire
from mltrace_otel.telemetry.otlp import Attributes


@dataclass(frozen=True)
class Plan:
    """What is known of a decorated function before it is called.

    Attributes:
        component: its component's name.
        words: what its runs say about the component.
        function: the function itself.
        variables: its variables.
        inputs: names of what each call reads.
        outputs: names of what each call writes.
        input_slots: variables that hold inputs; parameters are read at entry, others at return.
        output_slots: variables that hold outputs, read at return.
        before: tests to run before it.
        after: tests to run after it.
        before_run: what the component does before each run.
        after_run: what it does after each run that did not fail.
        partition: the variable that holds the partition.
        endpoint: whether its outputs are answers of an endpoint.
        staleness_threshold_s: age above which an input makes its runs stale.
        auto_log: whether data and models among its variables are saved and recorded.
        raises_on_failed_tests: whether a failed test raises, once the run is recorded.
        profiles: of which variables profiles are made; None for what the environment says.
        early: the inputs that are read at entry.
        late: the inputs that are read at return.
        needs_frame: whether there are values that only the function's frame knows.
        awaits: whether a call's result may be a coroutine that is the rest of the run.
        named: variables whose final values are recorded because they are named.
        said: problems that were warned of.
    """

    component: str
    words: Attributes
    function: Callable[..., Any]
    variables: Variables
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    input_slots: tuple[Slot, ...] = ()
    output_slots: tuple[Slot, ...] = ()
    before: tuple[Suite, ...] = ()
    after: tuple[Suite, ...] = ()
    before_run: Trigger | None = None
    after_run: Trigger | None = None
    partition: str | None = None
    endpoint: bool = False
    staleness_threshold_s: float | None = None
    auto_log: bool = False
    raises_on_failed_tests: bool = False
    profiles: ProfileScope | None = None
    early: tuple[Slot, ...] = field(init=False)
    late: tuple[Slot, ...] = field(init=False)
    needs_frame: bool = field(init=False)
    awaits: bool = field(init=False)
    named: frozenset[str] = field(init=False)
    said: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        parameters, code = self.variables.parameters, self.variables.code
        known = parameters | self.variables.locals
        early: list[Slot] = []
        late: list[Slot] = []
        for slot in self.input_slots:
            (early if slot.list_variables(known) <= parameters else late).append(slot)
        named = [
            each for slot in (*late, *self.output_slots) for each in slot.list_variables(known)
        ]
        self._set(
            early=tuple(early),
            late=tuple(late),
            awaits=bool(code and code.co_flags & inspect.CO_COROUTINE),
            named=frozenset(named),
        )
        self._set(needs_frame=self.variables.needs_frame(self._list_late() & known))

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _list_late(self) -> frozenset[str]:
        """Return the variables whose final values are needed."""
        if self.auto_log or self.after_run:
            return self.variables.parameters | self.variables.locals
        tested = {name for suite in self.after for name in suite.list_variables()}
        partition = {self.partition} if self.partition is not None else set()
        return self.named | tested | partition

    @functools.cached_property
    def common(self) -> bytes:
        """What all runs of the function say, encoded. Reads the source and asks git."""
        source = read_source(self.function)
        code = wire.describe_code(source, find_repository(source.file))
        return wire.encode_attributes({**self.words, **code})

    def check(self) -> None:
        """Find mistakes of set-up now, while nothing has run yet.

        Raises:
            UnknownVariable: the function lacks a variable that an option or a test names.
        """
        self._check_slots("input", self.input_slots)
        self._check_slots("output", self.output_slots)
        if self.partition is not None:
            check_variable(self.variables, self.partition, "partition")
        for suite in self.before:
            _check_suite(self.variables, suite, before=True)
        for suite in self.after:
            _check_suite(self.variables, suite, before=False)

    def _check_slots(self, direction: str, slots: Iterable[Slot]) -> None:
        for slot in slots:
            if slot.content is None:
                check_variable(self.variables, slot.variable, f"{direction}_vars")
            else:
                check_variable(self.variables, slot.variable, f"{direction}_kwargs")
                check_variable(self.variables, slot.content, f"{direction}_kwargs")


def _check_suite(variables: Variables, suite: Suite, *, before: bool) -> None:
    for case in suite.cases:
        for argument in case.arguments:
            if not argument.is_optional or argument.name != argument.variable:
                asked_by = f"{suite.name}.{case.name}"
                check_variable(variables, argument.variable, asked_by, before=before)
