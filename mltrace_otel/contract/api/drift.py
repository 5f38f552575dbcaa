"""How what a run held differs from what was there before."""

from dataclasses import dataclass

from mltrace_otel.profiles.verdicts import ProfileDrift

REFERENCE_FORM = r"^(previous|built-on|last:[1-9][0-9]?|run:[0-9A-Za-z]{1,16})$"
"""What a run is compared with: the run before, what its dependencies were built on, so many runs
before, or one run."""
DEFAULT_REFERENCE = "last:10"


@dataclass(frozen=True, slots=True)
class VariableDrift:
    """What became of a variable.

    Attributes:
        run_id: the run whose variable it is: the one that was asked about, or one it depends on.
        component: that run's.
        direction: ``input`` or ``output``.
        variable: name of the variable.
        reference_ids: the runs that it is compared with, the oldest first.
        builder_id: the dependency that was built on them, where that was asked.
        rows: how many rows there are.
        reference_rows: how many there were, in the runs together.
        drift: what became of it.
        sentences: what drifted, for people.
    """

    run_id: int
    component: str
    direction: str
    variable: str
    reference_ids: list[int]
    builder_id: int | None
    rows: int
    reference_rows: int
    drift: ProfileDrift
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of a run's variables.

    Attributes:
        run_id: the run.
        reference: what it is compared with, as it was asked.
        drifted: true if a variable drifted.
        variables: those that could be compared.
    """

    run_id: int
    reference: str
    drifted: bool
    variables: list[VariableDrift]
