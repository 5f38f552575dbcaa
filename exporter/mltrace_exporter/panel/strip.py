"""Runs as a strip over time, pure: runs come in, where each one's bar stands goes out.

A bar's height is the run's duration, on a scale of square roots so that short runs are seen beside
long ones. Lengths are in units of the drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from mltrace_otel.contract.api import RunSummary

STEP = 14
WIDTH = 10
HEIGHT = 56
_LOWEST = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A run: where its bar begins from the left, and how high it is."""

    run: RunSummary
    left: int
    height: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Runs side by side, the oldest first.

    Attributes:
        bars: one for each run.
        width: of the whole.
        longest_s: the duration of the highest bar in seconds; None if none is known.
    """

    bars: list[Bar]
    width: int
    longest_s: float | None


def draw_strip(runs: Sequence[RunSummary]) -> Strip:
    """Arrange runs, which come newest first."""
    known = [run.duration_s for run in runs if run.duration_s is not None]
    longest_s = max(known, default=None)
    bars = [
        Bar(run, at * STEP, _measure(run.duration_s, longest_s))
        for at, run in enumerate(reversed(runs))
    ]
    return Strip(bars, max(len(bars), 1) * STEP, longest_s)


def _measure(duration_s: float | None, longest_s: float | None) -> float:
    if duration_s is None or not longest_s:
        return _LOWEST
    share = sqrt(max(duration_s, 0) / longest_s)
    return round(_LOWEST + share * (HEIGHT - _LOWEST), 1)
