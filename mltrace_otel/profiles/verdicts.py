"""How what a run held differs from what was there before."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from math import inf


class DriftMethod(StrEnum):
    """What is compared.

    ``psi``, ``ks`` and ``jensen_shannon`` compare distributions; the others tell what else became
    different of the data: missing values, numbers beyond all earlier ones, values that were never
    there, the number of rows, and the columns themselves.
    """

    PSI = "psi"
    KS = "ks"
    JENSEN_SHANNON = "jensen_shannon"
    NULLS = "nulls"
    RANGE = "range"
    NEW_VALUES = "new_values"
    ROWS = "rows"
    COLUMNS = "columns"


DISTRIBUTIONS = frozenset({DriftMethod.PSI, DriftMethod.KS, DriftMethod.JENSEN_SHANNON})


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that was compared.

    Attributes:
        method: how.
        effect: how large it is, in the method's own measure: of ``psi``, ``ks`` and
            ``jensen_shannon`` the distance; of ``nulls`` by how much their share changed, from 0 to
            1; of ``range`` and ``new_values`` the share of values; of ``rows`` the factor; of
            ``columns`` 1.
        threshold: how large it may be; what runs differ by as a rule, if that is more.
        p_value: how likely it is by chance; None where chance has no part in it.
        drifted: true if it is larger, and not by chance.
        sentence: the same for people.
    """

    method: DriftMethod
    effect: float
    threshold: float
    p_value: float | None
    drifted: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """What became of one column.

    Attributes:
        column: its name.
        kind: what its values are.
        drifted: true if one of the deviations is drift.
        deviations: what was judged, the distribution first.
        psi: the population stability index, whatever was judged; None where it says nothing.
        ks: the Kolmogorov-Smirnov distance, likewise; of numbers only.
        jensen_shannon: the Jensen-Shannon distance, likewise.
    """

    column: str
    kind: str
    drifted: bool
    deviations: list[Deviation]
    psi: float | None = None
    ks: float | None = None
    jensen_shannon: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileDrift:
    """What became of a variable.

    Attributes:
        drifted: true if it, or one of its columns, drifted.
        deviations: what was judged of the whole: rows, and columns that came or went.
        columns: what was judged of each column.
    """

    drifted: bool
    deviations: list[Deviation]
    columns: list[ColumnDrift]

    @property
    def drifts(self) -> list[Deviation]:
        """What drifted: distributions first, and of these the one that changed most."""
        every = chain(self.deviations, *(column.deviations for column in self.columns))
        return sorted((each for each in every if each.drifted), key=rank)

    @property
    def sentences(self) -> list[str]:
        """The same for people."""
        return [deviation.sentence for deviation in self.drifts]


def rank(deviation: Deviation) -> tuple[bool, float]:
    """Return what orders deviations: distributions first, and of these the largest."""
    excess = deviation.effect / deviation.threshold if deviation.threshold else inf
    return deviation.method not in DISTRIBUTIONS, -excess
