"""Catches the frame of a call that is about to happen. In: a code object. Out: its frame.

A frame that somebody holds keeps its local variables after the function returned, so that the final
values can be read without slowing the function: the interpreter tells us of the call only, and what
listened before (a debugger, coverage, a profiler) is back before the function's first line. From
Python 3.12 on it tells us of the one function's calls, and nobody else notices.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import CodeType, FrameType
from typing import Any, Protocol

Tracer = Callable[[FrameType, str, Any], Any]


class Catcher(Protocol):
    """Catches the frame of the next call of a code in this thread, once."""

    frame: FrameType | None

    def install(self) -> None:
        """Listen for the call."""

    def restore(self) -> None:
        """Stop listening, if the call did not come."""


class FrameCatcher:
    """Catches the frame of the next call of ``code`` in this thread, once."""

    __slots__ = ("_code", "_tracer_before", "frame")

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self._tracer_before: Any = None
        self.frame: FrameType | None = None

    def install(self) -> None:
        """Listen for the call."""
        if sys.getprofile() is None:
            sys.setprofile(self._profile)
        else:
            self._tracer_before = sys.gettrace()
            sys.settrace(self._trace)

    def restore(self) -> None:
        """Stop listening, if the call did not come."""
        if sys.getprofile() == self._profile:
            sys.setprofile(None)
        if sys.gettrace() == self._trace:
            sys.settrace(self._tracer_before)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is self._code:
            sys.setprofile(None)
            self.frame = frame

    def _trace(self, frame: FrameType, event: str, argument: object) -> Tracer | None:
        before = self._tracer_before
        if frame.f_code is self._code:
            sys.settrace(before)
            self.frame = frame
        local_tracer: Tracer | None = before(frame, event, argument) if before else None
        return local_tracer


if sys.version_info >= (3, 12):
    _TOOLS = (4, 3)  # those that are nobody's by convention

    class _Waiting(threading.local):
        """Who waits for calls in this thread."""

        def __init__(self) -> None:
            self.catchers: list[MonitorCatcher] = []

    _WAITING = _Waiting()

    @cache
    def _find_tool() -> int | None:
        """Return the number under which the interpreter tells us of calls, if one is free."""
        for tool in _TOOLS:
            with suppress(ValueError):
                sys.monitoring.use_tool_id(tool, "mltrace_otel")
                sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, _catch)
                return tool
        return None

    def _catch(code: CodeType, _: int) -> None:
        for catcher in tuple(_WAITING.catchers):
            if catcher.code is code:
                catcher.frame = sys._getframe(1)  # noqa: SLF001 - documented, for such as us
                _WAITING.catchers.remove(catcher)

    class MonitorCatcher:
        """Catches the frame of the next call of ``code`` in this thread, once."""

        __slots__ = ("_tool", "code", "frame")

        def __init__(self, code: CodeType, tool: int) -> None:
            self.code = code
            self.frame: FrameType | None = None
            self._tool = tool

        def install(self) -> None:
            """Listen for the call."""
            start = sys.monitoring.events.PY_START
            if not sys.monitoring.get_local_events(self._tool, self.code):
                sys.monitoring.set_local_events(self._tool, self.code, start)
            _WAITING.catchers.append(self)

        def restore(self) -> None:
            """Stop listening, if the call did not come."""
            if self.frame is None:
                _WAITING.catchers.remove(self)

    def make_catcher(code: CodeType) -> Catcher:
        """Return what catches the next call of ``code`` in this thread."""
        tool = _find_tool()
        return FrameCatcher(code) if tool is None else MonitorCatcher(code, tool)

else:

    def make_catcher(code: CodeType) -> Catcher:
        """Return what catches the next call of ``code`` in this thread."""
        return FrameCatcher(code)


def get_suspended_frame(suspended: object, code: CodeType) -> FrameType | None:
    """Return the frame of a coroutine or generator that runs ``code``; None if it runs another."""
    for prefix in ("cr", "gi", "ag"):
        if getattr(suspended, f"{prefix}_code", None) is code:
            frame: FrameType | None = getattr(suspended, f"{prefix}_frame")
            return frame
    return None
