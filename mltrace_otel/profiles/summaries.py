"""What a column's profile says at a glance. In: a column. Out: the figures that people read."""

import math
from dataclasses import dataclass

from mltrace_otel.profiles.histograms import count_all, find_quantiles
from mltrace_otel.profiles.merging import NO_NUMBERS
from mltrace_otel.profiles.shapes import (
    SKETCH_BITS,
    SKETCH_HASHES,
    Column,
    ColumnKind,
    Numbers,
    Values,
)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one column. What does not apply, or is not known, is None.

    Attributes:
        name: the column's name.
        kind: what its values are.
        count: how many values there are that are not null.
        nulls: how many are missing.
        null_ratio: share of values that are missing.
        minimum: the smallest number; of texts and nested values, of their lengths, as all below.
        maximum: the largest number.
        mean: the mean of finite numbers.
        stddev: their standard deviation, as of a whole population.
        p5: the number that 5 % of all numbers do not exceed; the others likewise.
        p25: the lower quartile.
        p50: the median.
        p75: the upper quartile.
        p95: what 95 % do not exceed.
        distinct: about how many different values there are, where values are told apart.
    """

    name: str
    kind: ColumnKind
    count: int
    nulls: int
    null_ratio: float | None
    minimum: float | None
    maximum: float | None
    mean: float | None
    stddev: float | None
    p5: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    distinct: int | None


def summarise(column: Column) -> Summary:
    """Return the figures of a column."""
    numbers = column.numbers or NO_NUMBERS
    p5, p25, p50, p75, p95 = estimate_quantiles(numbers)
    return Summary(
        name=column.name,
        kind=column.kind,
        count=column.count,
        nulls=column.nulls,
        null_ratio=compute_null_ratio(column),
        minimum=numbers.minimum,
        maximum=numbers.maximum,
        mean=compute_mean(numbers),
        stddev=compute_stddev(numbers),
        p5=p5,
        p25=p25,
        p50=p50,
        p75=p75,
        p95=p95,
        distinct=None if column.values is None else estimate_distinct(column.values),
    )


def compute_null_ratio(column: Column) -> float | None:
    """Return the share of values that are missing; None of a column without rows."""
    total = column.count + column.nulls
    return column.nulls / total if total else None


def compute_mean(numbers: Numbers) -> float | None:
    """Return the mean of the finite numbers; None if there are none, or their sum is too large."""
    count = count_all(numbers.histogram)
    return None if numbers.total is None or not count else numbers.total / count


def compute_stddev(numbers: Numbers) -> float | None:
    """Return the standard deviation of the finite numbers, as of a whole population.

    None if there are none, or their squares are too large. It follows from sums of squares, so it
    is lost in rounding where it is less than 1e-8 of the mean, and is then 0.
    """
    mean = compute_mean(numbers)
    if mean is None or numbers.squares is None:
        return None
    if numbers.minimum == numbers.maximum:
        return 0.0
    variance = numbers.squares / count_all(numbers.histogram) - mean * mean
    return math.sqrt(max(variance, 0.0))


def estimate_quantiles(
    numbers: Numbers, shares: tuple[float, ...] = QUANTILES
) -> list[float | None]:
    """Return quantiles as `find_quantiles` does, within the extremes."""
    return [_clamp(each, numbers) for each in find_quantiles(numbers.histogram, shares)]


def _clamp(value: float | None, numbers: Numbers) -> float | None:
    if value is None or numbers.minimum is None or numbers.maximum is None:
        return value
    return min(max(value, numbers.minimum), numbers.maximum)


def estimate_distinct(values: Values) -> int:
    """Return about how many different values there are: exactly below 64, else within 26 %.

    That is twice the standard error, 1 / sqrt(62).

    Source: Beyer et al., On synopses for distinct-value estimation under multiset operations
    (2007), the unbiased estimator of K minimum values.
    """
    if len(values.sketch) < SKETCH_HASHES:
        return len(values.sketch)
    return round((SKETCH_HASHES - 1) * float(1 << SKETCH_BITS) / max(values.sketch[-1], 1))
