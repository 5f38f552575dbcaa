"""One component run around one call of a decorated function.

In: a plan (what is known before any call) and a call. Out: the call's own result or exception, and
a run. We are guests: whatever fails on our side costs a warning, never the user's call.
"""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from mltrace_otel import wire
from mltrace_otel.binding import Variables, bind_arguments
from mltrace_otel.datatests import Case, run_case
from mltrace_otel.frames import FrameCatcher
from mltrace_otel.pointers import IOPointer, PointerType, read_inputs, read_outputs
from mltrace_otel.provenance import find_repository, read_source
from mltrace_otel.runs import ComponentRun
from mltrace_otel.telemetry import finish_span, open_span

_log = logging.getLogger("mltrace_otel")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a decorated function before it is called.

    Attributes:
        component: its component's name.
        words: what its runs say about the component.
        function: the function itself.
        variables: its variables.
        input_vars: variables that hold inputs; parameters are read at entry, others at return.
        output_vars: variables that hold outputs, read at return.
        before: tests to run before it.
        after: tests to run after it.
        partition: the variable that holds the partition.
        endpoint: whether its outputs are answers of an endpoint.
        staleness_threshold_s: age above which an input makes its runs stale.
    """

    component: str
    words: wire.Attributes
    function: Callable[..., Any]
    variables: Variables
    input_vars: tuple[str, ...] = ()
    output_vars: tuple[str, ...] = ()
    before: tuple[Case, ...] = ()
    after: tuple[Case, ...] = ()
    partition: str | None = None
    endpoint: bool = False
    staleness_threshold_s: float | None = None
    needs_frame: bool = field(init=False)

    def __post_init__(self) -> None:
        late = {*self.output_vars, *(name for case in self.after for name in case.arguments)}
        late |= set(self.input_vars) - self.variables.parameters
        if self.partition is not None:
            late.add(self.partition)
        known = late & (self.variables.parameters | self.variables.locals)
        object.__setattr__(self, "needs_frame", self.variables.needs_frame(known))


def decorate(plan: Plan) -> Callable[..., Any]:
    """Return the plan's function with a component run around each call."""
    if inspect.iscoroutinefunction(plan.function):
        return _decorate_coroutine(plan)
    return _decorate_plain(plan)


def _decorate_plain(plan: Plan) -> Callable[..., Any]:
    function = plan.function

    @functools.wraps(function)
    def record(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function says
        call = _Call(plan, args, kwargs)
        call.begin()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        call.end(None)
        return result

    return record


def _decorate_coroutine(plan: Plan) -> Callable[..., Awaitable[Any]]:
    function = plan.function

    @functools.wraps(function)
    async def record(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function says
        call = _Call(plan, args, kwargs)
        call.begin()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        call.end(None)
        return result

    return record


class _Call:
    """The state of one call."""

    def __init__(self, plan: Plan, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        self._plan = plan
        self._args = args
        self._kwargs = kwargs
        self._run = ComponentRun(plan.component, staleness_threshold_s=plan.staleness_threshold_s)
        self._arguments: Mapping[str, object] = {}
        self._scope = ExitStack()
        self._span: Any = None
        self._catcher: FrameCatcher | None = None

    def begin(self) -> None:
        """Do what comes before the function."""
        with _guarding(self._plan, "begun"):
            plan = self._plan
            attributes = {**plan.words, **_describe_code(plan.function)}
            self._span = self._scope.enter_context(open_span(plan.component, attributes))
            self._arguments = bind_arguments(plan.variables, self._args, self._kwargs)
            self._read_inputs(self._arguments)
            self._test(plan.before, self._arguments, "before")
        if self._plan.needs_frame and self._plan.variables.code:
            # Last of all: nothing of ours may be called between here and the function.
            self._catcher = FrameCatcher(self._plan.variables.code)
            self._catcher.install()

    def end(self, error: BaseException | None) -> None:
        """Do what comes after the function, whether it returned or raised."""
        frame = self._release_frame()
        with _guarding(self._plan, "recorded"), self._scope:
            if self._span is None:
                return
            values = _read_final_values(self._arguments, frame)
            try:
                self._read_results(values, error)
            finally:
                finish_span(self._span, self._run, error)

    def _release_frame(self) -> FrameType | None:
        if self._catcher is None:
            return None
        self._catcher.restore()
        frame, self._catcher = self._catcher.frame, None
        return frame

    def _read_results(self, values: Mapping[str, object], error: BaseException | None) -> None:
        plan = self._plan
        if plan.partition is not None and values.get(plan.partition) is not None:
            self._run.partition = str(values[plan.partition])
        self._read_inputs({k: v for k, v in values.items() if k not in plan.variables.parameters})
        if error is None:
            self._read_outputs(values)
            self._test(plan.after, values, "after")

    def _read_inputs(self, values: Mapping[str, object]) -> None:
        for name in self._plan.input_vars:
            if name in values:
                self._run.inputs += read_inputs(self._plan.component, name, values[name])

    def _read_outputs(self, values: Mapping[str, object]) -> None:
        own = self._span.get_span_context()
        pointers: list[IOPointer] = []
        for name in self._plan.output_vars:
            if name in values:
                pointers += read_outputs(self._plan.component, name, values[name], own)
        if self._plan.endpoint:
            pointers = [replace(pointer, type=PointerType.ENDPOINT) for pointer in pointers]
        self._run.outputs += pointers

    def _test(self, cases: tuple[Case, ...], values: Mapping[str, object], phase: str) -> None:
        for case in cases:
            arguments = {name: values[name] for name in case.arguments if name in values}
            self._run.test_outcomes.append(run_case(case, arguments, phase))


@functools.lru_cache(maxsize=1024)
def _describe_code(function: Callable[..., Any]) -> wire.Attributes:
    source = read_source(function)
    return wire.describe_code(source, find_repository(source.file))


def _read_final_values(
    arguments: Mapping[str, object], frame: FrameType | None
) -> Mapping[str, object]:
    return arguments if frame is None else {**arguments, **frame.f_locals}


@contextmanager
def _guarding(plan: Plan, what: str) -> Iterator[None]:
    """Keep a fault of ours away from the user's function."""
    try:
        yield
    except Exception:  # noqa: BLE001 - the boundary between us and the user's program
        _log.warning("A run of component %r was not %s:", plan.component, what, exc_info=True)
