# ruff: noqa: RET504 - what is returned must be a local variable first
"""Final values are read without taking a listener's place: debugger, coverage or profiler."""

import cProfile
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from builders import names

from mltrace_exporter.model import Run
from mltrace_otel import Component

Recorded = Callable[[], list[Run]]


def test_profilers_and_tracers_are_back_after_a_call(recorded: Recorded) -> None:
    @Component("c").run(output_vars=["y"])
    def work(x: str) -> str:
        assert sys.getprofile() is None
        y = x
        return y

    before = sys.gettrace()
    work("a")
    assert sys.getprofile() is None
    assert sys.gettrace() is before
    assert names(recorded()[0], "output") == ["a"]


@pytest.mark.parametrize("raises", [False, True])
def test_a_debugger_keeps_receiving_lines(recorded: Recorded, raises: bool) -> None:  # noqa: FBT001
    lines: list[tuple[str, int]] = []

    @Component("c").run(output_vars=["y"])
    def work(x: str) -> str:
        y = x + "!"
        if raises:
            raise ValueError
        return y

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_name == "work":
            lines.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work("a")
    except ValueError:
        pass
    finally:
        after = sys.gettrace()
        sys.settrace(before)

    assert after is trace
    assert [line for event, line in lines if event == "line"] == [2, 3, 4 if raises else 5]
    assert lines[-1][0] == "return"
    assert names(recorded()[0], "output") == ([] if raises else ["a!"])


@pytest.mark.parametrize("traced", [False, True])
def test_a_profiler_keeps_receiving_calls(recorded: Recorded, traced: bool) -> None:  # noqa: FBT001
    events: list[str] = []

    def inner() -> int:
        return 1

    @Component("c").run(output_vars=["y"])
    def work(x: str) -> str:
        y = x * inner()
        return y

    def profile(frame: FrameType, event: str, _: object) -> None:
        if frame.f_code.co_name in {"work", "inner"} and event in {"call", "return"}:
            events.append(f"{event} {frame.f_code.co_name}")

    def trace(_frame: FrameType, _event: str, _argument: object) -> None:
        return None

    before = sys.gettrace()
    sys.setprofile(profile)
    if traced:
        sys.settrace(trace)
    try:
        work("a")
        after = sys.getprofile(), sys.gettrace()
    finally:
        sys.setprofile(None)
        sys.settrace(before)

    assert after == (profile, trace if traced else before)
    assert events == ["call work", "call inner", "return inner", "return work"]
    assert names(recorded()[0], "output") == ["a"]


def test_cprofile_still_measures(recorded: Recorded) -> None:
    @Component("c").run(output_vars=["y"])
    def work(x: str) -> str:
        y = x
        return y

    with cProfile.Profile() as profile:
        work("a")

    assert any(entry.code == work.__wrapped__.__code__ for entry in profile.getstats())  # type: ignore[attr-defined] # functools.wraps sets it
    assert names(recorded()[0], "output") == ["a"]
