"""What differs between two runs."""

from dataclasses import dataclass, field
from enum import StrEnum

from mltrace_otel.contract.api.runs import Pointer, RunSummary


class Change(StrEnum):
    """How something of the earlier run stands to the same thing of the later one."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact that differs: its name and its value in either run; None where it is not known."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PointerChange:
    """An input or output of two runs.

    Attributes:
        change: ``changed`` if the content differs, ``same`` if it does not, ``unknown`` if a digest
            is missing or was made in another way.
        before: as the earlier run had it.
        after: as the later run had it; its name differs in digits only, such as a date.
    """

    change: Change
    before: Pointer | None
    after: Pointer | None


@dataclass(frozen=True, slots=True)
class TestChange:
    """A test in two runs: ``before`` and ``after`` are its results, None where it did not run."""

    suite: str
    case: str
    phase: str
    before: str | None
    after: str | None


class Aspect(StrEnum):
    """What two runs are compared in."""

    CODE = "code"
    GIT = "git"
    PARAMETERS = "parameters"
    INPUTS = "inputs"
    DATA = "data"
    TESTS = "tests"


@dataclass(frozen=True, slots=True)
class AspectChange:
    """How two runs differ in one aspect.

    Attributes:
        aspect: in which; ``data`` is how the variables that both profiled were distributed.
        change: ``changed``, ``same``, or ``unknown`` if too little was recorded to tell.
        sentences: what differs, for people.
    """

    aspect: Aspect
    change: Change
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two runs.

    Attributes:
        before: the earlier run.
        after: the later run.
        code: whether the snapshots of their code differ.
        facts: commit, branch, partition and the like, as far as they differ.
        attributes: parameters and what else the runs were sent with, as far as they differ.
        inputs: all that either run read, those that differ first.
        outputs: all that either run wrote, those that differ first.
        tests: all that either run tested, in the order of the later run.
        sentences: what differs and may explain another result, for people.
        aspects: the same, sentence by sentence, in each aspect.
    """

    before: RunSummary
    after: RunSummary
    code: Change
    facts: list[FactChange]
    attributes: list[FactChange]
    inputs: list[PointerChange]
    outputs: list[PointerChange]
    tests: list[TestChange]
    sentences: list[str]
    aspects: list[AspectChange] = field(default_factory=list)
