"""How far two samples are apart. In: their counts over the same bins. Out: measures, p-values.

Counts come in pairs, ``(now, before)`` for each bin, in ascending order where there is one.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import erfc, exp, log, log2, pi, sqrt

Pair = tuple[float, float]

_SMOOTHING = 0.5
_TERMS = 100
_NEGLIGIBLE = 1e-12
_CERTAIN = 0.2


def add_up(pairs: Sequence[Pair]) -> Pair:
    """Return the size of both samples."""
    return sum(now for now, _ in pairs), sum(before for _, before in pairs)


def measure_psi(pairs: Sequence[Pair]) -> float:
    """Return the population stability index, less what samples of this size show by chance.

    By chance it is ``(bins - 1) * (1 / now + 1 / before)`` on average, whatever the distribution.

    Source: Yurdakul, "Statistical Properties of Population Stability Index", 2018.
    """
    now, before = add_up(pairs)
    if not now or not before:
        return 0.0
    psi = sum((p - q) * log(p / q) for p, q in _smooth(pairs, now, before))
    return max(0.0, psi - _expect_by_chance(pairs, now, before))


def _smooth(pairs: Sequence[Pair], now: float, before: float) -> Iterator[Pair]:
    """Yield the shares of both in each bin, none of them 0."""
    added = _SMOOTHING * len(pairs)
    for one, other in pairs:
        yield (one + _SMOOTHING) / (now + added), (other + _SMOOTHING) / (before + added)


def _expect_by_chance(pairs: Sequence[Pair], now: float, before: float) -> float:
    filled = sum(1 for pair in pairs if any(pair))
    return (filled - 1) * (1 / now + 1 / before)


def measure_jensen_shannon(pairs: Sequence[Pair]) -> float:
    """Return the Jensen-Shannon distance, 0 to 1: the root of the divergence in bits.

    What samples of this size show by chance is taken off, as for the stability index, of which the
    divergence is an eighth where both differ little.
    """
    now, before = add_up(pairs)
    if not now or not before:
        return 0.0
    bits = -_expect_by_chance(pairs, now, before) / (8 * log(2))
    for one, other in pairs:
        p, q = one / now, other / before
        bits += sum(share * log2(2 * share / (p + q)) / 2 for share in (p, q) if share)
    return sqrt(max(0.0, bits))


def measure_ks(pairs: Sequence[Pair]) -> float:
    """Return the greatest distance of the cumulated shares, 0 to 1, at the bounds of the bins."""
    now, before = add_up(pairs)
    if not now or not before:
        return 0.0
    ours = accumulate(one / now for one, _ in pairs)
    theirs = accumulate(other / before for _, other in pairs)
    return max(abs(one - other) for one, other in zip(ours, theirs, strict=True))


def find_ks_p(distance: float, now: float, before: float) -> float:
    """Return how likely samples of one distribution are this far apart, or farther.

    Over bins the distance is at most that of the values, so that the answer errs to the safe side.

    Source: Stephens, "Use of the Kolmogorov-Smirnov, Cramer-von Mises and Related Statistics
    Without Extensive Tables", 1970.
    """
    if not now or not before:
        return 1.0
    root = sqrt(now * before / (now + before))
    factor = (root + 0.12 + 0.11 / root) * distance
    if factor < _CERTAIN:  # where the series converges slowly, and the answer is 1
        return 1.0
    total = 0.0
    for index in range(1, _TERMS):
        term = exp(-2 * (index * factor) ** 2)
        total += term if index % 2 else -term
        if term < _NEGLIGIBLE:
            break
    return min(1.0, max(0.0, 2 * total))


def find_chi_square_p(pairs: Sequence[Pair]) -> float:
    """Return how likely samples of one distribution differ this much over bins, or more.

    Source: Pearson's test of homogeneity.
    """
    sizes = add_up(pairs)
    if not all(sizes):
        return 1.0
    whole = sum(sizes)
    statistic, filled = 0.0, 0
    for pair in pairs:
        if any(pair):
            filled += 1
            for count, size in zip(pair, sizes, strict=True):
                expected = sum(pair) * size / whole
                statistic += (count - expected) ** 2 / expected
    return survive_chi_square(statistic, filled - 1)


def survive_chi_square(statistic: float, freedom: int) -> float:
    """Return the share of the chi-square distribution above a value."""
    if freedom < 1 or statistic <= 0:
        return 1.0
    half = statistic / 2
    # The incomplete gamma function of a whole or half number is a finite sum.
    at, total, term = 0.0, 0.0, exp(-half)
    if freedom % 2:
        at, total, term = 0.5, erfc(sqrt(half)), term * sqrt(4 * half / pi)
    for _ in range(freedom // 2):
        total += term
        at += 1
        term *= half / at
    return min(1.0, total)


def limit_false_discoveries(p_values: Sequence[float], rate: float) -> list[bool]:
    """Return which of several findings count, so that of those at most ``rate`` are false.

    Source: Benjamini, Hochberg, "Controlling the False Discovery Rate", 1995.
    """
    ranked = sorted(p_values)
    limit = -1.0
    for rank, p_value in enumerate(ranked, 1):
        if p_value <= rate * rank / len(ranked):
            limit = p_value
    return [p_value <= limit for p_value in p_values]
