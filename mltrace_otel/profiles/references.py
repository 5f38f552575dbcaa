"""Earlier runs that a run is held against. In: counts in bins. Out: those that are usual.

Runs differ from each other as a rule, which is no drift; and one of them may have been bad itself,
so that it must not pass for what is usual.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median, median_high

from mltrace_otel.profiles.bins import Row
from mltrace_otel.profiles.distances import Pair

ALLOWANCE = 2.0
"""How many times what is usual is still usual."""
_OUTLIER = 4.0
_MARGIN = 1.5
_ENOUGH = 3
_COMMON = 0.5

Measure = Callable[[Sequence[Pair]], float]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual.

    Attributes:
        places: of the earlier runs that are, among all samples.
        allowed: how far a run may be from them.
    """

    places: list[int]
    allowed: float

    def pair(self, rows: Iterable[Row]) -> list[Pair]:
        """Return the counts of the first sample, and of those that are usual together."""
        return [(row[0], sum(row[place] for place in self.places)) for row in rows]


def find_usual(bins: Sequence[Row], measure: Measure, threshold: float) -> Usual:
    """Return which of the samples but the first are usual.

    With three of them or more, those that are far from their middle, four times as far as most, are
    left out; and half as much again as the others differ by is allowed.

    Args:
        bins: counts of the samples in each bin.
        measure: how far two are apart.
        threshold: how far is too far, whatever is usual.
    """
    places = list(range(1, len(bins[0]) if bins else 1))
    if len(places) < _ENOUGH:
        return Usual(places, threshold)
    middle = _find_middle(bins, places)
    apart = {
        place: measure([(row[place], count) for row, count in zip(bins, middle, strict=True)])
        for place in places
    }
    far = max(threshold, _OUTLIER * median_high(apart.values()))
    kept = [place for place in places if apart[place] <= far]
    return Usual(kept, max(threshold, _MARGIN * max(apart[place] for place in kept)))


def _find_middle(bins: Sequence[Row], places: Sequence[int]) -> list[float]:
    """Return the median of the samples' shares in each bin, as counts; else all samples together.

    Samples that have little in common, such as those of a column that is constant in each run and
    different in all, have no middle.
    """
    sizes = {place: sum(row[place] for row in bins) for place in places}
    filled = [place for place in places if sizes[place]]
    whole = sum(sizes.values())
    shares = [median([row[place] / sizes[place] for place in filled] or [0.0]) for row in bins]
    common = sum(shares)
    if common < _COMMON:
        return [sum(row[place] for place in places) for row in bins]
    return [share / common * whole for share in shares]
