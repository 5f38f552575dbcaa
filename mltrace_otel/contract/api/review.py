"""What flagged outputs have in common."""

from dataclasses import dataclass
from enum import StrEnum

from mltrace_otel.contract.api.flags import Flag
from mltrace_otel.contract.api.runs import RunSummary


class ReviewSort(StrEnum):
    """What comes first in a review."""

    COVERAGE = "coverage"
    SUSPICION = "suspicion"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that flagged outputs have in common.

    Attributes:
        run: the run.
        flagged_with: how many flagged outputs it was involved in producing.
        unflagged_with: how many outputs nobody flagged it was involved in producing.
        coverage: share of the flagged outputs that it was involved in producing, 0 to 1.
        suspicion: Ochiai score, 0 to 1.
        evidence: what else speaks against it, in sentences.
        compare_to: the run to compare it to: the last run of its component before it that no
            flagged output depends on, or the first one after it; None if there is none.
    """

    run: RunSummary
    flagged_with: int
    unflagged_with: int
    coverage: float
    suspicion: float
    evidence: list[str]
    compare_to: int | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """The runs behind the flagged outputs, most likely culprit first."""

    flags: list[Flag]
    """The newest open flags, at most ``FLAG_LIMIT``, also those that were not to count."""
    flag_count: int
    """How many flags count."""
    candidates: list[Candidate]
    sort: ReviewSort
