"""Which run do the flagged outputs point at? Spectrum-based fault localisation over runs.

Source: Abreu, Zoeteweij, van Gemund, "On the Accuracy of Spectrum-based Fault Localization", 2007.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from mltrace_exporter.lineage.graph import Edges, find_involved


@dataclass(frozen=True, slots=True)
class Score:
    """How a run stands to the flagged outputs.

    Attributes:
        flagged_with: flagged outputs that the run was involved in producing.
        unflagged_with: outputs nobody flagged that it was involved in producing.
        coverage: share of all flagged outputs, 0 to 1.
        suspicion: Ochiai coefficient, 0 to 1.
    """

    flagged_with: int
    unflagged_with: int
    coverage: float
    suspicion: float


def score_runs(
    flagged: Mapping[int, int], unflagged: Mapping[int, int], flag_count: int, edges: Edges
) -> dict[int, Score]:
    """Return the score of every run that a flagged output depends on.

    Args:
        flagged: how many flagged outputs each run wrote.
        unflagged: how many other outputs each run wrote; the contrast.
        flag_count: all flagged outputs, also those that no run wrote.
        edges: of all runs upstream of both.
    """
    roots = list({**flagged, **unflagged})
    flagged_bits, other_bits = (_gather_bits(roots, counts) for counts in (flagged, unflagged))
    scores = {}
    for run, mask in find_involved(roots, edges).items():
        bad = _weigh(mask, flagged_bits)
        if bad:
            good = _weigh(mask, other_bits)
            ochiai = bad / sqrt(flag_count * (bad + good))
            scores[run] = Score(bad, good, bad / flag_count, ochiai)
    return scores


def _gather_bits(roots: Iterable[int], counts: Mapping[int, int]) -> dict[int, int]:
    """Return for each count the bits of the roots that have it."""
    bits: dict[int, int] = {}
    for bit, root in enumerate(roots):
        if root in counts:
            bits[counts[root]] = bits.get(counts[root], 0) | 1 << bit
    return bits


def _weigh(mask: int, bits: Mapping[int, int]) -> int:
    return sum(count * (mask & those).bit_count() for count, those in bits.items())
