"""The state of one call of a decorated function. In: a plan and a call. Out: a run.

We are guests: whatever fails on our side costs a warning, never the user's call.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import Token
from dataclasses import replace
from types import FrameType
from typing import Any

from opentelemetry import context, trace

from mltrace_otel import current
from mltrace_otel.calls.autolog import AutoLog
from mltrace_otel.calls.binding import bind_arguments
from mltrace_otel.calls.distributions import decide_scope, describe_result, describe_variable
from mltrace_otel.calls.frames import Catcher, get_suspended_frame, make_catcher
from mltrace_otel.calls.plan import Plan
from mltrace_otel.calls.slots import Slot, read_slot
from mltrace_otel.calls.triggers import Trigger
from mltrace_otel.contract.outcomes import TestStatus
from mltrace_otel.datatests import Suite, describe_error, run_suite
from mltrace_otel.errors import TestsFailed
from mltrace_otel.notices import log
from mltrace_otel.pointers import IOPointer, PointerType
from mltrace_otel.questions.past import PastRuns
from mltrace_otel.questions.patience import Patience
from mltrace_otel.runs import ComponentRun
from mltrace_otel.settings import ProfileScope
from mltrace_otel.telemetry.emission import announce, finish_span, make_current, start_span
from mltrace_otel.telemetry.spans import RunSpan

_FAILED = frozenset({TestStatus.FAIL, TestStatus.ERROR})


class Call:
    """One call, from before the function to after it."""

    __slots__ = (
        *("_arguments", "_auto", "_catcher", "_context", "_current", "_frame", "_plan"),
        *("_patience", "_problems", "_run", "_scope", "_span", "_token", "_token_of_run"),
    )

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run = ComponentRun(plan.component, staleness_threshold_s=plan.staleness_threshold_s)
        self._patience = Patience()
        self._problems: list[str] = []
        self._scope = decide_scope(plan.profiles)
        self._arguments: dict[str, object] = {}
        self._auto: AutoLog | None = None
        self._span: trace.Span = trace.INVALID_SPAN
        self._context: context.Context | None = None
        self._current: current.CurrentRun | None = None
        self._token: Any = None
        self._token_of_run: Token[current.CurrentRun | None] | None = None
        self._catcher: Catcher | None = None
        self._frame: FrameType | None = None

    def begin(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        """Do what comes before the function.

        Args:
            args: the call's arguments by place.
            kwargs: the call's arguments by name.

        Raises:
            TestsFailed: a test failed, and the component asks for this.
        """
        plan = self._plan
        self._guard("anything", self._start)
        self.enter()
        self._guard("arguments", self._bind, args, kwargs)
        for name in plan.inputs:
            self._guard("input {0}", self._run.add_input, name)
        for slot in plan.early:
            self._guard("input {0.variable}", self._read_input, slot, self._arguments)
        if self._auto:
            for name, value in self._arguments.items():
                self._guard("input {0}", self._log_argument, name, value)
        if plan.before_run:
            self._guard("beforeRun", self._pull, plan.before_run, self._arguments)
        for suite in plan.before:
            self._guard("test {0.name}", self._test, suite, self._arguments, "before")
        self.check_tests()
        self._guard("start", self._announce)

    def enter(self) -> None:
        """Make the run the one that the program is in, and its span the parent of what comes."""
        if self._token is None and self._context is not None:
            self._token = context.attach(self._context)
            if self._current is not None:
                self._token_of_run = current.enter(self._current)

    def leave(self) -> None:
        """Let the program be where it was, until `enter` brings it to where it is now."""
        token, self._token = self._token, None
        if token is None or current.get_run() is not self._current:
            return  # a coroutine that is collected as garbage ends where others run
        self._context = context.get_current()
        context.detach(token)
        if self._token_of_run is not None:
            current.leave(self._token_of_run)

    def catch_frame(self) -> None:
        """Catch the frame of the function, which is called next."""
        if self._plan.needs_frame and self._frame is None and self._plan.variables.code:
            self._guard("the final values of its variables", self._install_catcher)

    def stop_catching(self) -> None:
        """Keep the frame that was caught."""
        if self._catcher:
            self._catcher.restore()
            self._frame, self._catcher = self._catcher.frame, None

    def hold_frame(self, suspended: object) -> bool:
        """Keep the frame of a coroutine or generator that has not begun.

        Returns:
            False if its frame is needed and is another function's, that wraps ours.
        """
        if self._plan.needs_frame and self._plan.variables.code:
            self._frame = get_suspended_frame(suspended, self._plan.variables.code)
            return self._frame is not None
        return True

    def step(self, step: Callable[[Any], object], sent: object) -> object:
        """Let the body of a generator go on, in the run; its consumer is not in it."""
        self.enter()
        self.catch_frame()
        try:
            return step(sent)
        finally:
            self.stop_catching()
            self.leave()

    def end(self, error: BaseException | None, result: object = None) -> None:
        """Do what comes after the function, whether it returned or raised."""
        end_time_ns = time.time_ns()
        self.stop_catching()
        if error is not None and _is_success(error):
            error = None  # it ended the program on purpose
        self.enter()
        try:
            self._guard("variables", self._read_after, error, result)
        finally:  # also when the user interrupts us: the function has ended
            self.leave()
            self._frame = None
            self._guard("anything", self._finish, end_time_ns, error)
            self._tell()

    def check_tests(self) -> None:
        """Tell the program of failed tests, if the component asks for that.

        Raises:
            TestsFailed: a test failed or could not be run.
        """
        if self._plan.raises_on_failed_tests:
            failed = [each for each in self._run.test_outcomes if each.status in _FAILED]
            if failed:
                raise TestsFailed(self._plan.component, failed)

    def _guard(self, what: str, step: Callable[..., None], *args: object) -> None:
        """Keep a fault of ours, or of a value, away from the user's function."""
        try:
            step(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # A signal's handler may end the program so; a test or a trigger may not.
            if type(error) is SystemExit and step not in (self._pull, self._test):
                raise
            self._note(what.format(*args), describe_error(error))
            log.debug("Where that comes from:", exc_info=True)

    def _note(self, what: str, why: str) -> None:
        """Take note, once a function, of what is not recorded of its calls."""
        if what not in self._plan.said:
            self._plan.said.add(what)
            self._problems.append(f"{what} ({why})")

    def _tell(self) -> None:
        if self._problems:
            log.warning(
                "Runs of component %r are recorded without %s. This is said once.",
                self._plan.component,
                "; ".join(self._problems),
            )

    def _start(self) -> None:
        self._span = start_span(self._plan.component)
        self._context = make_current(self._span)
        own = self._span.get_span_context()
        contents: dict[int, str] | None = {} if self._plan.auto_log else None
        self._current = current.CurrentRun(self._plan.component, self._run, own, contents)
        if contents is not None:
            self._auto = AutoLog(self._plan.component, own, contents)

    def _install_catcher(self) -> None:
        if self._plan.variables.code:
            catcher = make_catcher(self._plan.variables.code)
            catcher.install()
            self._catcher = catcher

    def _bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        self._arguments = bind_arguments(self._plan.variables, args, kwargs)

    def _announce(self) -> None:
        if isinstance(self._span, RunSpan):
            plan = self._plan  # it is kept for a while, and the values of a call must not be
            self._span.start_time = time.time_ns()  # what we did before is not the run's
            announce(self._span, self._run, lambda: plan.common)

    def _read_input(self, slot: Slot, values: Mapping[str, object]) -> None:
        pointers = read_slot(slot, self._plan.component, values, None)
        if self._auto and slot.content is None and slot.variable in values:
            pointers = self._auto.keep_input(slot.variable, values[slot.variable], pointers)
        self._run.inputs += pointers
        if slot.holder in values:
            self._describe("input", slot.holder, values[slot.holder], pointers)

    def _log_argument(self, name: str, value: object) -> None:
        if self._auto and name not in {slot.variable for slot in self._plan.early}:
            pointers = self._auto.read_input(name, value)
            self._run.inputs += pointers
            if pointers:
                self._describe("input", name, value, pointers)

    def _describe(
        self, direction: str, variable: str, value: object, pointers: Sequence[IOPointer]
    ) -> None:
        """Tell how a variable is distributed, if that is asked for."""
        if self._scope is ProfileScope.ALL or (
            self._scope is ProfileScope.OUTPUTS and direction == "output"
        ):
            step = describe_variable
            self._guard("profile of {2}", step, self._run, direction, variable, value, pointers)

    def _pull(self, trigger: Trigger, values: Mapping[str, object]) -> None:
        run = self._run
        before = list(run.inputs), list(run.outputs)
        try:
            trigger(run, dict(values))
            run.tidy()
        except BaseException:
            run.inputs, run.outputs = before
            raise

    def _test(self, suite: Suite, values: Mapping[str, object], phase: str) -> None:
        history = PastRuns(self._plan.component, phase, self._patience)
        self._run.test_outcomes += run_suite(suite, values, phase, history)

    def _read_after(self, error: BaseException | None, result: object) -> None:
        plan = self._plan
        values = self._get_values(error)
        if plan.partition is not None and values.get(plan.partition) is not None:
            self._guard("partition", self._read_partition, values[plan.partition])
        for slot in plan.late:
            self._guard("input {0.variable}", self._read_input, slot, values)
        if error is None:
            self._read_outputs(values, result)
            for suite in plan.after:
                self._guard("test {0.name}", self._test, suite, values, "after")
            if plan.after_run:
                self._guard("afterRun", self._pull, plan.after_run, values)

    def _get_values(self, error: BaseException | None) -> Mapping[str, object]:
        if self._frame is not None:
            return self._frame.f_locals
        if self._plan.needs_frame and error is None:
            self._note("the final values of its variables", "its code was not seen to run")
        return self._arguments

    def _read_partition(self, value: object) -> None:
        self._run.partition = str(value)

    def _read_outputs(self, values: Mapping[str, object], result: object) -> None:
        plan, run = self._plan, self._run
        for name in plan.outputs:
            self._guard("output {0}", run.add_output, name)
        for slot in plan.output_slots:
            self._guard("output {0.variable}", self._read_output, slot, values)
        if self._auto:
            for name, value in list(values.items()):
                self._guard("output {0}", self._log_local, name, value)
            self._guard("what it returned", self._log_returned, result)
        if self._scope is not ProfileScope.NONE:
            known = [values.get(slot.holder) for slot in plan.output_slots]
            self._guard("profile of what it returned", describe_result, run, result, known)
        if plan.endpoint:
            run.outputs = [replace(pointer, type=PointerType.ENDPOINT) for pointer in run.outputs]

    def _read_output(self, slot: Slot, values: Mapping[str, object]) -> None:
        own = self._span.get_span_context()
        pointers = read_slot(slot, self._plan.component, values, own)
        if self._auto and slot.content is None and slot.variable in values:
            pointers = self._auto.keep_output(slot.variable, values[slot.variable], pointers)
        if self._run.outputs:  # the function may have saved the same files by hand
            names = {pointer.name for pointer in pointers}
            self._run.outputs = [each for each in self._run.outputs if each.name not in names]
        self._run.outputs += pointers
        if slot.holder in values:
            self._describe("output", slot.holder, values[slot.holder], pointers)

    def _log_local(self, name: str, value: object) -> None:
        if self._auto and name not in self._plan.named:
            known = (*self._run.inputs, *self._run.outputs)
            pointers = self._auto.read_output(name, value, known)
            self._run.outputs += pointers
            if pointers:
                self._describe("output", name, value, pointers)

    def _log_returned(self, result: object) -> None:
        if self._auto:
            known = (*self._run.inputs, *self._run.outputs)
            self._run.outputs += self._auto.read_returned(result, known)

    def _finish(self, end_time_ns: int, error: BaseException | None) -> None:
        common = self._plan.common
        try:
            finish_span(self._span, self._run, common=common, end_time_ns=end_time_ns, error=error)
        except Exception as fault:  # noqa: BLE001 - a trigger or a value can spoil a run
            self._note("what they read, wrote and found", describe_error(fault))
            bare = ComponentRun(self._plan.component)
            finish_span(self._span, bare, common=common, end_time_ns=end_time_ns, error=error)


def _is_success(error: BaseException) -> bool:
    """Whether it ends the program as planned. Nothing of the user's is asked about itself."""
    if type(error) is not SystemExit:
        return False
    return error.code is None or (type(error.code) is int and error.code == 0)
