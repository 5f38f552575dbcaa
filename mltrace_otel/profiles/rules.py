"""What counts as drift."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mltrace_otel.profiles.distances import (
    Pair,
    measure_jensen_shannon,
    measure_ks,
    measure_psi,
)
from mltrace_otel.profiles.verdicts import DriftMethod

MEASURES: Mapping[DriftMethod, Callable[[Sequence[Pair]], float]] = MappingProxyType(
    {
        DriftMethod.PSI: measure_psi,
        DriftMethod.KS: measure_ks,
        DriftMethod.JENSEN_SHANNON: measure_jensen_shannon,
    }
)
"""How far two distributions are apart."""

THRESHOLDS: Mapping[DriftMethod, float] = MappingProxyType(
    {DriftMethod.PSI: 0.2, DriftMethod.KS: 0.18, DriftMethod.JENSEN_SHANNON: 0.19}
)
"""Where drift begins: of each measure what the others say of the same shift of a bell curve."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as drift.

    Attributes:
        measure: of the distribution: ``psi``, ``ks`` or ``jensen_shannon``.
        threshold: how far apart distributions may be; None for the measure's own.
        nulls: by how much the share of missing values may change.
        outside: which share of numbers may lie beyond all earlier ones.
        new_values: which share of values may be ones that were never there.
        rows: the factor by which the number of rows may change; None for any.
        rate: which share of what is called drift may be chance.
    """

    measure: DriftMethod = DriftMethod.PSI
    threshold: float | None = None
    nulls: float = 0.05
    outside: float = 0.02
    new_values: float = 0.02
    rows: float | None = 2.0
    rate: float = 0.02

    @property
    def limit(self) -> float:
        """How far apart distributions may be."""
        return THRESHOLDS[self.measure] if self.threshold is None else self.threshold


DEFAULT_RULE = Rule()


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A deviation before it is known whether it counts.

    Attributes:
        method: what was compared.
        effect: see `Deviation`.
        threshold: see `Deviation`.
        p_value: see `Deviation`.
        say: returns it in words.
    """

    method: DriftMethod
    effect: float
    threshold: float
    p_value: float | None
    say: Callable[[], str]
