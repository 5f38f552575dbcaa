"""Why a run may need to be redone, in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from mltrace_exporter.lineage.skew import Kept, explain_skew
from mltrace_otel.contract.api import StaleReason

FRESHER_LIMIT = 1000
"""Of more fresher runs than these it is only said that there are as many or more."""

_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class Dependency:
    """What staleness needs to know about one dependency of a run.

    Attributes:
        consumer_id: the run in question.
        producer_id: the run that it depends on.
        component: the producer's component.
        age_s: from the producer's end to the consumer's start.
        threshold_s: age above which the consumer counts as stale.
        fresher_count: runs that had replaced what the producer wrote when the consumer started,
            counted up to `FRESHER_LIMIT`.
        skews: what the consumer worked on, and in sentences how that had drifted from what the
            producer was built on.
    """

    consumer_id: int
    producer_id: int
    component: str
    age_s: float
    threshold_s: float
    fresher_count: int
    skews: tuple[tuple[Kept, Sequence[str]], ...] = ()

    @property
    def is_stale(self) -> bool:
        """Whether there is any reason."""
        return self.age_s > self.threshold_s or self.fresher_count > 0 or bool(self.skews)


def explain_staleness(dependency: Dependency) -> list[StaleReason]:
    """Return the reasons that this dependency gives for its consumer to be stale; mostly none."""
    name = f"{dependency.component} (ID {dependency.producer_id})"
    reasons = []
    if dependency.age_s > dependency.threshold_s:
        sentence = f"{name} was run {_say_age(dependency.age_s)} ago."
        reasons.append(StaleReason("old_input", sentence, dependency.producer_id))
    count = dependency.fresher_count
    if count:
        sentence = (
            f"{name} has {count}{' or more' if count >= FRESHER_LIMIT else ''} fresher run(s) "
            "that began before this component run started."
        )
        reasons.append(StaleReason("fresher_run", sentence, dependency.producer_id))
    for now, sentences in dependency.skews:
        sentence = explain_skew(now, sentences, name)
        reasons.append(StaleReason("drifted_input", sentence, dependency.producer_id))
    return reasons


def _say_age(age_s: float) -> str:
    days = int(age_s // _DAY_S)
    if days:
        return f"{days} day{'s' if days > 1 else ''}"
    return f"{age_s / _HOUR_S:.1f} hours" if age_s >= _HOUR_S else f"{age_s:.0f} seconds"
