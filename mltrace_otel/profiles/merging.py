"""Profiles of several runs as one. In: profiles. Out: the profile of all that they tell of.

Neither order nor grouping matters to counts, extremes, histograms and sketches; sums are floats and
so differ by rounding. The most frequent values are exact while there are at most `TOP_VALUES` of
them; beyond, a count is too small by at most ``error``, and never too large.

Columns are the same if their names and kinds are.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from mltrace_otel.profiles.histograms import EMPTY, count_weighted, merge_histograms
from mltrace_otel.profiles.shapes import (
    COLUMN_LIMIT,
    SKETCH_HASHES,
    TOP_VALUES,
    Column,
    Numbers,
    Profile,
    Values,
)

NO_NUMBERS = Numbers(None, None, 0.0, 0.0, 0, EMPTY)


def merge_profiles(profiles: Iterable[Profile]) -> Profile:
    """Return what several runs held together. Its columns are in the order of their names."""
    parts = list(profiles)
    same: dict[tuple[str, str], list[Column]] = {}
    for column in chain.from_iterable(part.columns for part in parts):
        same.setdefault((column.name, column.kind), []).append(column)
    columns = tuple(merge_columns(same[key]) for key in sorted(same))
    seen = max([len(columns), *(len(part.columns) + part.columns_left_out for part in parts)])
    kept = columns[:COLUMN_LIMIT]
    return Profile(
        rows=sum(part.rows for part in parts),
        looked_at=sum(part.looked_at for part in parts),
        columns=kept,
        columns_left_out=seen - len(kept),
    )


def merge_columns(columns: Sequence[Column]) -> Column:
    """Return one column of several that have the same name and kind, at least one."""
    numbers = [column.numbers for column in columns if column.numbers]
    values = [column.values for column in columns if column.values]
    return Column(
        name=columns[0].name,
        kind=columns[0].kind,
        count=sum(column.count for column in columns),
        nulls=sum(column.nulls for column in columns),
        numbers=merge_numbers(numbers) if numbers else None,
        values=merge_values(values) if values else None,
    )


def summarise_numbers(values: Sequence[float]) -> Numbers:
    """Return the summary of some numbers, such as a metric's in several runs; no NaN is counted."""
    return summarise_counts(Counter(map(float, values)))


def summarise_counts(counts: Mapping[float, int]) -> Numbers:
    """Return the summary of numbers that occur so often; no NaN is counted."""
    finite = {value: count for value, count in counts.items() if math.isfinite(value)}
    return Numbers(
        minimum=min(finite, default=None),
        maximum=max(finite, default=None),
        total=add(value * count for value, count in finite.items()),
        squares=add(value * value * count for value, count in finite.items()),
        infinite=sum(count for value, count in counts.items() if math.isinf(value)),
        histogram=count_weighted(finite),
    )


def merge_numbers(parts: Sequence[Numbers]) -> Numbers:
    """Return the summary of the numbers of several."""
    return Numbers(
        minimum=min((part.minimum for part in parts if part.minimum is not None), default=None),
        maximum=max((part.maximum for part in parts if part.maximum is not None), default=None),
        total=add([part.total for part in parts]),
        squares=add([part.squares for part in parts]),
        infinite=sum(part.infinite for part in parts),
        histogram=merge_histograms(part.histogram for part in parts),
    )


def add(sums: Iterable[float | None]) -> float | None:
    """Return the sum of floats; None if no float holds it, or one of them is None."""
    try:
        total = math.fsum(sums)  # type: ignore[arg-type] # of None it says TypeError
    except (OverflowError, TypeError, ValueError):
        return None
    return total if math.isfinite(total) else None


def merge_values(parts: Sequence[Values]) -> Values:
    """Return the summary of the values of several."""
    known = [dict(part.top) for part in parts]
    counts: Counter[str] = Counter()
    for each in known:
        counts.update(each)
    top, other = keep_frequent(counts, sum(part.other for part in parts))
    error = min(other, max((_bound_error(value, parts, known) for value in counts), default=0))
    return Values(top, other, merge_sketches(part.sketch for part in parts), error)


def keep_frequent(
    counts: Mapping[str, int], other: int = 0
) -> tuple[tuple[tuple[str, int], ...], int]:
    """Return the most frequent values, and how many values are none of them.

    Args:
        counts: values with their counts.
        other: how many values are not among these.
    """
    total = sum(counts.values()) + other
    if other or len(counts) > TOP_VALUES:  # of many values, which of those that occur once?
        counts = {value: count for value, count in counts.items() if count > 1}
    top = tuple(sorted(counts.items(), key=_rank)[:TOP_VALUES])
    return top, total - sum(count for _, count in top)


def _rank(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _bound_error(value: str, parts: Sequence[Values], known: Sequence[Mapping[str, int]]) -> int:
    """Return by how much the sum of a value's counts may be too small."""
    return sum(
        part.error if value in counts else bound_hidden(part)
        for part, counts in zip(parts, known, strict=True)
    )


def bound_hidden(values: Values) -> int:
    """Return how often a value that is not in ``top`` may have occurred.

    What was kept is more frequent than what was not. In a merged summary this holds, too: a value
    that none of the parts kept is bounded by the sum of their bounds, which is no larger.
    """
    if not values.top:
        return values.other
    return min(values.other, values.top[-1][1] + values.error)


def merge_sketches(sketches: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Return the smallest hashes of several sketches.

    Source: Bar-Yossef et al., Counting distinct elements in a data stream (2002), K minimum values.
    """
    return tuple(sorted(set(chain.from_iterable(sketches)))[:SKETCH_HASHES])
