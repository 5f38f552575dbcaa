"""A component run around each call of a function of any kind. In: a plan. Out: a function.

What is returned is of the function's own kind: plain, coroutine, generator, asynchronous generator.
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

from mltrace_otel.calls.call import Call
from mltrace_otel.calls.plan import Plan
from mltrace_otel.errors import SetupError


def check_function(function: object) -> None:
    """Make sure that something can be decorated.

    Raises:
        SetupError: it is no function.
    """
    if isinstance(function, staticmethod | classmethod):
        kind = type(function).__name__
        raise SetupError(f"Put the component's decorator below @{kind}, not above it.")
    if not callable(function):
        raise SetupError(f"{function!r} is no function that could be run.")


def decorate(plan: Plan) -> Callable[..., Any]:
    """Return the plan's function with a component run around each call.

    Raises:
        UnknownVariable: the function lacks a variable that the plan names.
    """
    plan.check()
    function = plan.function
    for tell, wrap in (
        (inspect.iscoroutinefunction, _wrap_coroutine),
        (inspect.isgeneratorfunction, _wrap_generator),
        (inspect.isasyncgenfunction, _wrap_async_generator),
    ):
        if tell(function) or tell(getattr(type(function), "__call__", None)):  # noqa: B004 - an object's method
            return wrap(plan)
    return _wrap_plain(plan)


def _wrap_plain(plan: Plan) -> Callable[..., Any]:
    function = plan.function

    @functools.wraps(function)
    def record(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function says
        call = Call(plan)
        try:
            call.begin(args, kwargs)
            call.catch_frame()
            result = function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        if plan.awaits and inspect.iscoroutine(result):
            call.stop_catching()
            call.leave()
            return _await(call, result)
        call.end(None, result)
        call.check_tests()
        return result

    return record


def _wrap_coroutine(plan: Plan) -> Callable[..., Coroutine[Any, Any, Any]]:
    function = plan.function

    @functools.wraps(function)
    async def record(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function says
        call = Call(plan)
        try:
            call.begin(args, kwargs)
            coroutine = function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        return await _await(call, coroutine)

    return record


async def _await(call: Call, coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - as it says
    try:
        call.enter()
        if call.hold_frame(coroutine):
            result = await coroutine
        else:
            result = await _Steps(call, coroutine)
    except BaseException as error:
        call.end(error)
        raise
    call.end(None, result)
    call.check_tests()
    return result


class _Steps:
    """A coroutine to be awaited in single steps."""

    def __init__(self, call: Call, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._call = call
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        call, coroutine = self._call, self._coroutine
        step, sent = coroutine.send, None
        while True:
            try:
                value = call.step(step, sent)
            except StopIteration as stop:
                return stop.value
            try:
                sent = yield value
                step = coroutine.send
            except BaseException as thrown:  # noqa: BLE001 - the coroutine's to handle
                step, sent = coroutine.throw, thrown


def _wrap_generator(plan: Plan) -> Callable[..., Generator[Any, Any, Any]]:
    function = plan.function

    @functools.wraps(function)
    def record(
        *args: Any,  # noqa: ANN401 - as the function says
        **kwargs: Any,  # noqa: ANN401
    ) -> Generator[Any, Any, Any]:
        call, sent = Call(plan), None
        try:
            call.begin(args, kwargs)
            body = function(*args, **kwargs)
            call.hold_frame(body)
            step = body.send
            while True:
                value = call.step(step, sent)
                try:
                    sent = yield value
                    step = body.send
                except BaseException as thrown:  # noqa: BLE001 - the body's to handle, also its end
                    step, sent = body.throw, thrown
        except StopIteration as stop:
            result = stop.value
        except BaseException as error:
            call.end(None if _has_left(sent, error) else error)
            raise
        call.end(None, result)
        call.check_tests()
        return result

    return record


def _wrap_async_generator(plan: Plan) -> Callable[..., AsyncGenerator[Any, Any]]:
    function = plan.function

    @functools.wraps(function)
    async def record(
        *args: Any,  # noqa: ANN401 - as the function says
        **kwargs: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Any, Any]:
        call, sent = Call(plan), None
        try:
            call.begin(args, kwargs)
            body = function(*args, **kwargs)
            call.hold_frame(body)
            step = body.asend
            while True:
                call.enter()
                try:
                    value = await step(sent)
                except StopAsyncIteration:
                    break
                finally:
                    call.leave()
                try:
                    sent = yield value
                    step = body.asend
                except BaseException as thrown:  # noqa: BLE001 - the body's to handle
                    step, sent = body.athrow, thrown
        except BaseException as error:
            call.end(None if _has_left(sent, error) else error)
            raise
        call.end(None)
        call.check_tests()

    return record


def _has_left(thrown: object, error: BaseException) -> bool:
    """Tell whether a generator ends because its consumer closed it, or was cancelled itself."""
    return error is thrown and not isinstance(error, Exception)
