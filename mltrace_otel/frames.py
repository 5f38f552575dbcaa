"""Catches the frame of a call that is about to happen. In: a code object. Out: its frame.

A frame that somebody holds keeps its local variables after the function returned, so that the final
values can be read without slowing the function: the interpreter tells us of the call only, and what
listened before (a debugger, coverage, a profiler) is back before the function's first line.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

Tracer = Callable[[FrameType, str, Any], Any]


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


def get_suspended_frame(suspended: object, code: CodeType) -> FrameType | None:
    """Return the frame of a coroutine or generator that runs ``code``; None if it runs another."""
    for prefix in ("cr", "gi", "ag"):
        if getattr(suspended, f"{prefix}_code", None) is code:
            frame: FrameType | None = getattr(suspended, f"{prefix}_frame")
            return frame
    return None
