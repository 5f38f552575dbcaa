"""What the store said at one moment, as plain values: metrics by name, each by its labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mltrace_exporter.metrics import Metric

Labels = tuple[str, ...]
"""Values of a metric's labels, in their order."""


class Example(NamedTuple):
    """A run that a number counts.

    Attributes:
        trace_id: of its trace, in hexadecimal.
        span_id: of its span; the panel knows the run by it.
        value: what was measured of it, in the metric's unit.
        moment_s: when, in seconds since 1970.
    """

    trace_id: str
    span_id: str
    value: float
    moment_s: float


class Distribution(NamedTuple):
    """Values counted by size.

    Attributes:
        bounds: upper bounds, ascending, without infinity.
        counts: how many values are in each bucket, the last one is over all bounds.
        sum: of all values; None where there are negative ones.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float | None


Value = float | Distribution
Values = Mapping[Metric, Mapping[Labels, Value]]
Examples = Mapping[tuple[Metric, Labels], Example]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store said.

    Attributes:
        taken_s: when, in seconds since 1970.
        values: of the metrics of the store.
        owners: of components, by what the label says; those without one are left out.
        examples: runs behind some of the values.
        troubled: components that somebody should look at; they are the last to be folded.
        last_dead_letter_s: when a span was last received that cannot be stored; 0 if never.
        folded: series for which there was no room, or that were not even read.
        replica_lag_s: how old it may be; None if it was not read on a replica.
    """

    taken_s: float
    values: Values
    owners: Mapping[str, str] = field(default_factory=dict)
    examples: Examples = field(default_factory=dict)
    troubled: frozenset[str] = frozenset()
    last_dead_letter_s: float = 0.0
    folded: int = 0
    replica_lag_s: float | None = None

    @property
    def series(self) -> int:
        """How many series the values are."""
        return sum(count_series(value) for each in self.values.values() for value in each.values())


def count_series(value: Value) -> int:
    """Return how many series a value is: of a distribution one for each bucket, count and sum."""
    if not isinstance(value, Distribution):
        return 1
    return len(value.counts) + (0 if value.sum is None else 2)
