"""Buckets that stay the same. In: the first histogram of some values. Out: bounds, and counts."""

from bisect import bisect_left
from collections.abc import Sequence
from math import floor, isfinite, log10

from mltrace_otel.profiles.histograms import Interval, find_quantiles, list_intervals
from mltrace_otel.profiles.shapes import Histogram

_SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_BEYOND = (1, 10, 100)
_AROUND = (0.02, 0.05, 0.1, 0.25, 0.5)
_FEW = 5


def choose_bounds(histogram: Histogram) -> tuple[float, ...]:
    """Return upper bounds of buckets that tell values like these apart, ascending, at most 21.

    They are quantiles, rounded to two digits, and some far beyond on both sides, so that values in
    another unit are seen. Without values there are none.
    """
    quantiles = [value for value in find_quantiles(histogram, _SHARES) if value is not None]
    if not quantiles:
        return ()
    low, middle, high = quantiles[0], quantiles[len(quantiles) // 2], quantiles[-1]
    spread = (high - low) or abs(middle) or 1.0
    chosen = {*quantiles, *(low - spread * each for each in _BEYOND)}
    chosen |= {high + spread * each for each in _BEYOND}
    if len(set(quantiles)) < _FEW:
        chosen |= {middle + sign * spread * each for each in _AROUND for sign in (-1, 1)}
    return tuple(sorted({_round(value) for value in chosen if isfinite(value)}))


def _round(value: float) -> float:
    if not value:
        return 0.0
    return round(value, 1 - floor(log10(abs(value))))


def count_between(histogram: Histogram, bounds: Sequence[float]) -> list[int]:
    """Return how many values are in each bucket, the last one is over all bounds.

    Values of one bucket of the histogram go where its middle is, so that they are off by at most
    its width.
    """
    counts = [0] * (len(bounds) + 1)
    for interval in list_intervals(histogram):
        counts[bisect_left(bounds, _find_middle(interval))] += interval.count
    return counts


def _find_middle(interval: Interval) -> float:
    return interval.lower / 2 + interval.upper / 2
