"""Exponential histograms. In: histograms, numbers. Out: histograms, and what they say.

Merging is exact: it depends on what was counted, never on order or grouping. The scale of a merged
histogram is the finest, at most that of its parts, at which all that they hold fits.
"""

import math
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from mltrace_otel.profiles.shapes import FINEST_SCALE, HISTOGRAM_BUCKETS, Buckets, Histogram

EMPTY = Histogram(FINEST_SCALE)


@dataclass(frozen=True, slots=True)
class Interval:
    """How many values lie in (lower, upper], below 0 in [lower, upper); 0 has no width."""

    lower: float
    upper: float
    count: int


def count_values(values: Iterable[float]) -> Histogram:
    """Return the histogram of numbers; those that are not finite are left out."""
    return count_weighted(Counter(value for value in map(float, values) if math.isfinite(value)))


def count_weighted(counts: Mapping[float, int]) -> Histogram:
    """Return the histogram of finite numbers that occur so often."""
    positive = [(find_index(value, FINEST_SCALE), n) for value, n in counts.items() if value > 0]
    negative = [(find_index(-value, FINEST_SCALE), n) for value, n in counts.items() if value < 0]
    scale = fit_scale([index for index, _ in positive], [index for index, _ in negative])
    return Histogram(
        scale,
        sum(n for value, n in counts.items() if value == 0),
        _tally(positive, FINEST_SCALE - scale),
        _tally(negative, FINEST_SCALE - scale),
    )


def find_index(magnitude: float, scale: int) -> int:
    """Return the index of the bucket that holds a number above 0.

    Source: OpenTelemetry, metrics data model, "All Scales: Use the Logarithm Function".
    """
    return math.ceil(math.ldexp(math.log2(magnitude), scale)) - 1


def fit_scale(*indices: Sequence[int]) -> int:
    """Return the finest scale at which each of some sequences spans at most 160 buckets.

    Args:
        indices: of each sign, indices at `FINEST_SCALE`; their extremes suffice.
    """
    shift = 0
    for each in indices:
        if each:
            lowest, highest = min(each), max(each)
            shift = max(shift, (highest - lowest).bit_length() - HISTOGRAM_BUCKETS.bit_length())
            while (highest >> shift) - (lowest >> shift) >= HISTOGRAM_BUCKETS:
                shift += 1
    return FINEST_SCALE - shift


def _tally(counted: Sequence[tuple[int, int]], shift: int) -> Buckets:
    if not counted:
        return Buckets()
    counts: Counter[int] = Counter()
    for index, count in counted:
        counts[index >> shift] += count
    first, last = min(counts), max(counts)
    return Buckets(first, tuple(counts[index] for index in range(first, last + 1)))


def count_all(histogram: Histogram) -> int:
    """Return how many values a histogram holds."""
    sides = sum(histogram.positive.counts) + sum(histogram.negative.counts)
    return histogram.zeros + sides


def downscale(histogram: Histogram, scale: int) -> Histogram:
    """Return a histogram with fewer, wider buckets; itself if it is that wide already."""
    shift = histogram.scale - scale
    if shift <= 0:
        return histogram
    return Histogram(
        scale,
        histogram.zeros,
        _widen(histogram.positive, shift),
        _widen(histogram.negative, shift),
    )


def _widen(buckets: Buckets, shift: int) -> Buckets:
    if not buckets.counts:
        return buckets
    first = buckets.offset >> shift
    last = (buckets.offset + len(buckets.counts) - 1) >> shift
    counts = [0] * (last - first + 1)
    for index, count in enumerate(buckets.counts, buckets.offset):
        counts[(index >> shift) - first] += count
    return Buckets(first, tuple(counts))


def trim(histogram: Histogram) -> Histogram:
    """Return a histogram whose buckets begin and end with one that is not empty."""
    return replace(
        histogram, positive=_trim(histogram.positive), negative=_trim(histogram.negative)
    )


def _trim(buckets: Buckets) -> Buckets:
    filled = [place for place, count in enumerate(buckets.counts) if count]
    if not filled:
        return Buckets()
    first, last = filled[0], filled[-1]
    return Buckets(buckets.offset + first, buckets.counts[first : last + 1])


def align(histograms: Iterable[Histogram]) -> list[Histogram]:
    """Return histograms with the same buckets: those that their merger has."""
    trimmed = [trim(each) for each in histograms]
    scale = min((each.scale for each in trimmed), default=FINEST_SCALE)
    for side in ("positive", "negative"):
        filled = [
            (each.scale, getattr(each, side)) for each in trimmed if getattr(each, side).counts
        ]
        while len(filled) > 1 and _span_all(filled, scale) > HISTOGRAM_BUCKETS:
            scale -= 1
    return [downscale(each, scale) for each in trimmed]


def _span_all(sides: Sequence[tuple[int, Buckets]], scale: int) -> int:
    lowest = min(side.offset >> (own - scale) for own, side in sides)
    highest = max((side.offset + len(side.counts) - 1) >> (own - scale) for own, side in sides)
    return highest - lowest + 1


def merge_histograms(histograms: Iterable[Histogram]) -> Histogram:
    """Return the histogram of everything that some histograms hold."""
    aligned = align(histograms)
    if not aligned:
        return EMPTY
    return Histogram(
        aligned[0].scale,
        sum(each.zeros for each in aligned),
        _add([each.positive for each in aligned]),
        _add([each.negative for each in aligned]),
    )


def _add(sides: Iterable[Buckets]) -> Buckets:
    filled = [side for side in sides if side.counts]
    if not filled:
        return Buckets()
    first = min(side.offset for side in filled)
    counts = [0] * (max(side.offset + len(side.counts) for side in filled) - first)
    for side in filled:
        for place, count in enumerate(side.counts, side.offset - first):
            counts[place] += count
    return Buckets(first, tuple(counts))


def bound(index: int, scale: int) -> float:
    """Return the lower bound of a bucket; the largest float where that is none."""
    exponent = math.ldexp(index, -scale)
    return 2.0**exponent if exponent < sys.float_info.max_exp else sys.float_info.max


def list_intervals(histogram: Histogram) -> Iterator[Interval]:
    """Yield the buckets that are not empty, from the smallest values to the largest."""
    scale = histogram.scale
    below = list(enumerate(histogram.negative.counts, histogram.negative.offset))
    for index, count in reversed(below):
        if count:
            yield Interval(-bound(index + 1, scale), -bound(index, scale), count)
    if histogram.zeros:
        yield Interval(0.0, 0.0, histogram.zeros)
    for index, count in enumerate(histogram.positive.counts, histogram.positive.offset):
        if count:
            yield Interval(bound(index, scale), bound(index + 1, scale), count)


def get_relative_error(histogram: Histogram) -> float:
    """Return by which share of a value its quantiles may be wrong: (base - 1) / (base + 1)."""
    return math.tanh(math.ldexp(math.log(2), -histogram.scale) / 2)


def find_quantiles(histogram: Histogram, shares: Sequence[float]) -> list[float | None]:
    """Return values below or at which given shares of all lie, each None if there are no values.

    A quantile is the value at place ceil(share * count) of the sorted values, wrong by at most
    `get_relative_error` of itself.

    Args:
        histogram: of the values.
        shares: from 0 to 1.
    """
    below, above = histogram.negative, histogram.positive
    ends = list(accumulate((*reversed(below.counts), histogram.zeros, *above.counts)))
    if not ends[-1]:
        return [None] * len(shares)
    places = [max(math.ceil(share * ends[-1] - 1e-9), 1) for share in shares]
    return [_get_middle(histogram, bisect_left(ends, place)) for place in places]


def _get_middle(histogram: Histogram, place: int) -> float:
    """Return the number in a bucket whose relative distance to both ends is the same.

    Args:
        histogram: the histogram.
        place: of the bucket, counted from the smallest values; zeros have one of their own.
    """
    from_zero = place - len(histogram.negative.counts)
    if not from_zero:
        return 0.0
    side = histogram.positive if from_zero > 0 else histogram.negative
    index = side.offset + abs(from_zero) - 1
    lower, upper = bound(index, histogram.scale), bound(index + 1, histogram.scale)
    # Two factors of at most 2, so that their product cannot overflow.
    return math.copysign(lower / ((lower / upper + 1) / 2) if upper else 0.0, from_zero)


def share_at_most(histogram: Histogram, value: float) -> float | None:
    """Return the share of values at or below a number, None if there are no values.

    In the bucket that holds the number, values are taken as evenly spread; so the answer is wrong
    by at most that bucket's share.
    """
    total = count_all(histogram)
    if not total:
        return None
    below = 0.0
    for interval in list_intervals(histogram):
        if interval.upper <= value:
            below += interval.count
        elif interval.lower < value:
            width = interval.upper - interval.lower
            below += interval.count * (value - interval.lower) / width
    return below / total
