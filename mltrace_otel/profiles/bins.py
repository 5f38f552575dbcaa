"""Several samples over the same bins. In: summaries of one column. Out: counts of each in each bin.

Numbers are counted over the buckets of their histograms, which histograms have in common once the
finer ones are made as coarse as the coarsest: no value is guessed within a bucket.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from mltrace_otel.profiles.merging import bound_hidden
from mltrace_otel.profiles.shapes import Buckets, Histogram, Values

Row = tuple[float, ...]
"""How often something is in each sample."""

BINS = 10
_RARE = 0.01


def count_numbers(histograms: Sequence[Histogram]) -> list[Row]:
    """Return the counts of each in every bucket that one of them fills, by ascending value."""
    scale = min(each.scale for each in histograms)
    counted = [_count_buckets(each, scale) for each in histograms]
    keys = sorted(set().union(*counted))
    return [tuple(each[key] for each in counted) for key in keys]


def _count_buckets(histogram: Histogram, scale: int) -> Counter[tuple[int, int]]:
    """Return how many values are in each bucket, by sign and signed index."""
    shift = histogram.scale - scale
    found: Counter[tuple[int, int]] = Counter()
    for sign, buckets in ((-1, histogram.negative), (1, histogram.positive)):
        for index, count in _number(buckets):
            if count:
                found[sign, sign * (index >> shift)] += count
    if histogram.zeros:
        found[0, 0] = histogram.zeros
    return found


def _number(buckets: Buckets) -> Iterable[tuple[int, int]]:
    return enumerate(buckets.counts, buckets.offset)


def join_buckets(rows: Sequence[Row], weights: Sequence[float]) -> list[Row]:
    """Return the counts in bins that each hold about the same weight, a tenth of all.

    A bucket is never split, so that one of more weight makes a bin by itself. What is beyond all
    weight belongs to the bin beside it.

    Args:
        rows: counts in each bucket, by ascending value.
        weights: of each bucket.
    """
    target = sum(weights) / BINS
    groups: list[list[Row]] = []
    held = 0.0
    for row, weight in zip(rows, weights, strict=True):
        is_full = held and (held >= target or held + weight - target > target - held)
        if not groups or (is_full and weight):
            groups.append([])
            held = 0.0
        groups[-1].append(row)
        held += weight
    return [_add(group) for group in groups]


def _add(rows: Iterable[Row]) -> Row:
    return tuple(map(sum, zip(*rows, strict=True)))


def count_values(several: Sequence[Values]) -> dict[str, Row]:
    """Return the counts of each for every value that is frequent in one of them.

    A value that one names and another has among its rest is taken to be there as often as would
    differ least: what is not known is no drift.
    """
    known = [dict(each.top) for each in several]
    sizes = [count_together(each) for each in several]
    found: dict[str, Row] = {}
    for name in sorted(set().union(*known)):
        knowing = [place for place, each in enumerate(known) if name in each]
        seen = sum(known[place][name] for place in knowing)
        share = seen / max(sum(sizes[place] for place in knowing), 1)
        found[name] = tuple(
            each[name] if name in each else min(share * size, bound_hidden(values))
            for each, size, values in zip(known, sizes, several, strict=True)
        )
    return found


def count_together(values: Values) -> int:
    """Return how many values there are."""
    return values.other + sum(count for _, count in values.top)


def join_values(rows: Iterable[Row], sizes: Sequence[float]) -> list[Row]:
    """Return the counts of values that were frequent before, and in one bin those of all others.

    Args:
        rows: counts of each value that is known; of the first sample now, of the others before.
        sizes: of the samples.
    """
    least = _RARE * sum(sizes[1:])
    kept = [row for row in rows if sum(row[1:]) >= max(least, 1)]
    named = _add(kept) if kept else (0.0,) * len(sizes)
    rest = tuple(max(0.0, size - one) for size, one in zip(sizes, named, strict=True))
    return [*kept, rest] if any(rest) else kept
