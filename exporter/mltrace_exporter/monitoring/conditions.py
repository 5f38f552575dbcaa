"""What an alert waits for, said once: as PromQL for Prometheus, and evaluated on a snapshot here.

Of several exporters on one database the highest value counts, so that two of them do not make two
alerts. A value counts for `MEMORY` after it was last scraped: when the exporter is away, what fired
goes on to fire until the alert that says so has come, and is not taken for mended.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from mltrace_exporter.metrics import Metric
from mltrace_exporter.monitoring.snapshot import Distribution, Labels, Snapshot

MEMORY = "10m"


class Sign(StrEnum):
    """How two values are compared."""

    ABOVE = ">"
    BELOW = "<"
    EQUAL = "=="


_COMPARE: Mapping[Sign, Callable[[float, float], bool]] = {
    Sign.ABOVE: operator.gt,
    Sign.BELOW: operator.lt,
    Sign.EQUAL: operator.eq,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's values by some of its labels, the highest of those that differ in others.

    Attributes:
        metric: of which.
        by: the labels that are kept.
        where: only series with one of these values of a label.
        factor: multiplies the value.
        lasts: a value counts for `MEMORY`; false where all is well once the series is gone.
    """

    metric: Metric
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    factor: float = 1
    lasts: bool = True

    def write(self) -> str:
        """Return it as PromQL."""
        matchers = ",".join(
            f'{name}="{values[0]}"' if len(values) == 1 else f'{name}=~"{"|".join(values)}"'
            for name, values in self.where.items()
        )
        series = f"{self.metric.name}{{{matchers}}}" if matchers else self.metric.name
        by = f" by ({', '.join(self.by)})" if self.by else ""
        factor = "" if self.factor == 1 else f"{self.factor:g} * "
        remembered = f"last_over_time({series}[{MEMORY}])" if self.lasts else series
        return f"{factor}max{by} ({remembered})"

    def evaluate(self, snapshot: Snapshot) -> dict[Labels, float]:
        """Return the values by the labels that are kept."""
        found: dict[Labels, float] = {}
        names = self.metric.labels
        for labels, value in snapshot.values.get(self.metric, {}).items():
            given = dict(zip(names, labels, strict=True))
            wanted = all(given[name] in values for name, values in self.where.items())
            if wanted and not isinstance(value, Distribution):
                key = tuple(given[name] for name in self.by)
                found[key] = max(self.factor * value, found.get(key, float("-inf")))
        return found


class Match(NamedTuple):
    """Something for which a condition holds: its labels, what was compared, and with what."""

    labels: dict[str, str]
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison.

    Attributes:
        left: what is compared.
        sign: how.
        right: with what; another reading has the same labels, or some of them.
        is_age: the left is a time, and what is compared is how long ago that was.
    """

    left: Reading
    sign: Sign
    right: float | Reading
    is_age: bool = False

    def write(self) -> str:
        """Return it as PromQL."""
        left = f"time() - {self.left.write()}" if self.is_age else self.left.write()
        if not isinstance(self.right, Reading):
            return f"{left} {self.sign} {self.right:g}"
        on = f"on ({', '.join(self.right.by)})"
        return f"{left} {self.sign} {on} {self.right.write()}"

    def evaluate(self, snapshot: Snapshot) -> Iterator[Match]:
        """Yield where it holds."""
        limits = self.right.evaluate(snapshot) if isinstance(self.right, Reading) else {}
        for labels, value in sorted(self.left.evaluate(snapshot).items()):
            compared = snapshot.taken_s - value if self.is_age else value
            limit = self._find_limit(limits, labels)
            if limit is not None and self._holds(compared, limit):
                yield Match(dict(zip(self.left.by, labels, strict=True)), compared, limit)

    def _find_limit(self, limits: Mapping[Labels, float], labels: Labels) -> float | None:
        if not isinstance(self.right, Reading):
            return self.right
        given = dict(zip(self.left.by, labels, strict=True))
        return limits.get(tuple(given[name] for name in self.right.by))

    def _holds(self, value: float, limit: float) -> bool:
        return _COMPARE[self.sign](value, limit)
