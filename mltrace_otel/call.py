"""One component run around one call of a decorated function.

In: a plan (what is known before any call) and a call. Out: the call's own result or exception, and
a run. We are guests: whatever fails on our side costs a warning, never the user's call.
"""

import functools
import inspect
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from opentelemetry import context, trace

from mltrace_otel import wire
from mltrace_otel.binding import Variables, bind_arguments
from mltrace_otel.datatests import Case, run_case
from mltrace_otel.frames import FrameCatcher, get_suspended_frame
from mltrace_otel.pointers import PointerType, read_inputs, read_outputs
from mltrace_otel.provenance import find_repository, read_source
from mltrace_otel.runs import ComponentRun
from mltrace_otel.telemetry import finish_span, make_current, start_span

_log = logging.getLogger("mltrace_otel")


@dataclass(frozen=True)
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
        late_inputs: inputs that are no parameters.
        needs_frame: whether there are values that only the function's frame knows.
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
    late_inputs: tuple[str, ...] = field(init=False)
    needs_frame: bool = field(init=False)

    def __post_init__(self) -> None:
        parameters = self.variables.parameters
        late_inputs = tuple(name for name in self.input_vars if name not in parameters)
        late = {*late_inputs, *self.output_vars}
        late.update(name for case in self.after for name in case.arguments)
        if self.partition is not None:
            late.add(self.partition)
        known = late & (parameters | self.variables.locals)
        object.__setattr__(self, "late_inputs", late_inputs)
        object.__setattr__(self, "needs_frame", self.variables.needs_frame(known))

    @functools.cached_property
    def common(self) -> bytes:
        """What all runs of the function say, encoded. Reads the source and asks git."""
        source = read_source(self.function)
        code = wire.describe_code(source, find_repository(source.file))
        return wire.encode_attributes({**self.words, **code})


def decorate(plan: Plan) -> Callable[..., Any]:
    """Return the plan's function with a component run around each call."""
    if inspect.iscoroutinefunction(plan.function):
        return _decorate_coroutine(plan)
    if inspect.isgeneratorfunction(plan.function):
        return _decorate_generator(plan)
    if inspect.isasyncgenfunction(plan.function):
        return _decorate_async_generator(plan)
    return _decorate_plain(plan)


def _decorate_plain(plan: Plan) -> Callable[..., Any]:
    function = plan.function

    @functools.wraps(function)
    def record(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function says
        call = _Call(plan)
        call.begin(args, kwargs)
        call.catch_frame()
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
        call = _Call(plan)
        call.begin(args, kwargs)
        try:
            coroutine = function(*args, **kwargs)
            call.hold_frame(coroutine)
            result = await coroutine
        except BaseException as error:
            call.end(error)
            raise
        call.end(None)
        return result

    return record


def _decorate_generator(plan: Plan) -> Callable[..., Generator[Any, Any, Any]]:
    function = plan.function

    @functools.wraps(function)
    def record(
        *args: Any,  # noqa: ANN401 - as the function says
        **kwargs: Any,  # noqa: ANN401
    ) -> Generator[Any, Any, Any]:
        call = _Call(plan)
        call.begin(args, kwargs, is_current=False)
        try:
            generator = function(*args, **kwargs)
            call.hold_frame(generator)
            result = yield from generator
        except GeneratorExit:  # the consumer has had enough
            call.end(None)
            raise
        except BaseException as error:
            call.end(error)
            raise
        call.end(None)
        return result

    return record


def _decorate_async_generator(plan: Plan) -> Callable[..., AsyncGenerator[Any, Any]]:
    function = plan.function

    @functools.wraps(function)
    async def record(
        *args: Any,  # noqa: ANN401 - as the function says
        **kwargs: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Any, Any]:
        call = _Call(plan)
        call.begin(args, kwargs, is_current=False)
        try:
            generator = function(*args, **kwargs)
            call.hold_frame(generator)
            step = generator.asend(None)
            while True:
                value = await step
                try:
                    step = generator.asend((yield value))
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - the function's to handle
                    step = generator.athrow(thrown)
        except (StopAsyncIteration, GeneratorExit) as ended:
            call.end(None)
            if isinstance(ended, GeneratorExit):
                raise
        except BaseException as error:
            call.end(error)
            raise

    return record


class _Call:
    """The state of one call."""

    __slots__ = ("_arguments", "_catcher", "_frame", "_plan", "_run", "_span", "_token")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run = ComponentRun(plan.component, staleness_threshold_s=plan.staleness_threshold_s)
        self._arguments: Mapping[str, object] = {}
        self._span: trace.Span | None = None
        self._token: Any = None
        self._catcher: FrameCatcher | None = None
        self._frame: FrameType | None = None

    def begin(
        self, args: tuple[object, ...], kwargs: Mapping[str, object], *, is_current: bool = True
    ) -> None:
        """Do what comes before the function.

        Args:
            args: the call's arguments by place.
            kwargs: the call's arguments by name.
            is_current: whether the run is the parent of what runs inside. A generator's is not:
                between two values its consumer runs.
        """
        self._guard(self._read_before, args, kwargs)
        self._guard(self._start, is_current)

    def catch_frame(self) -> None:
        """Catch the frame of the function, which is called next."""
        if self._plan.needs_frame and self._plan.variables.code:
            self._catcher = FrameCatcher(self._plan.variables.code)
            self._catcher.install()

    def hold_frame(self, suspended: object) -> None:
        """Keep the frame of a coroutine or generator that has not begun."""
        if self._plan.needs_frame and self._plan.variables.code:
            self._frame = get_suspended_frame(suspended, self._plan.variables.code)

    def end(self, error: BaseException | None) -> None:
        """Do what comes after the function, whether it returned or raised."""
        end_time_ns = time.time_ns()
        if self._catcher:
            self._catcher.restore()
            self._frame, self._catcher = self._catcher.frame, None
        if isinstance(error, SystemExit) and not error.code:
            error = None  # it ended the program on purpose
        self._guard(self._read_after, error)
        self._frame = None
        self._guard(self._finish, end_time_ns, error)

    def _guard(self, step: Callable[..., None], *args: object) -> None:
        """Keep a fault of ours away from the user's function."""
        try:
            step(*args)
        except Exception:  # noqa: BLE001 - the boundary between us and the user's program
            _log.warning(
                "A run of component %r is not recorded as it was:",
                self._plan.component,
                exc_info=True,
            )

    def _read_before(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        plan = self._plan
        self._arguments = values = bind_arguments(plan.variables, args, kwargs)
        for name in plan.input_vars:
            if name in values:
                self._run.inputs += read_inputs(plan.component, name, values[name])
        self._test(plan.before, values, "before")

    def _start(self, is_current: bool) -> None:  # noqa: FBT001 - private
        self._span = start_span(self._plan.component)
        if is_current:
            self._token = context.attach(make_current(self._span))

    def _read_after(self, error: BaseException | None) -> None:
        plan = self._plan
        values = self._arguments if self._frame is None else self._frame.f_locals
        if plan.partition is not None and values.get(plan.partition) is not None:
            self._run.partition = str(values[plan.partition])
        for name in plan.late_inputs:
            if name in values:
                self._run.inputs += read_inputs(plan.component, name, values[name])
        if error is None:
            self._read_outputs(values)
            self._test(plan.after, values, "after")

    def _read_outputs(self, values: Mapping[str, object]) -> None:
        plan, run = self._plan, self._run
        own = trace.INVALID_SPAN_CONTEXT if self._span is None else self._span.get_span_context()
        for name in plan.output_vars:
            if name in values:
                run.outputs += read_outputs(plan.component, name, values[name], own)
        if plan.endpoint:
            run.outputs = [replace(pointer, type=PointerType.ENDPOINT) for pointer in run.outputs]

    def _test(self, cases: tuple[Case, ...], values: Mapping[str, object], phase: str) -> None:
        for case in cases:
            arguments = {name: values[name] for name in case.arguments if name in values}
            self._run.test_outcomes.append(run_case(case, arguments, phase))

    def _finish(self, end_time_ns: int, error: BaseException | None) -> None:
        if self._token is not None:
            context.detach(self._token)
        if self._span is not None:
            finish_span(
                self._span,
                self._run,
                common=self._plan.common,
                end_time_ns=end_time_ns,
                error=error,
            )
