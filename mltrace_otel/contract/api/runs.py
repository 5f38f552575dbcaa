"""Runs, alone and in lists."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mltrace_otel.contract.api.notes import Note
from mltrace_otel.contract.api.profiles import Metric, ProfileSummary
from mltrace_otel.contract.outcomes import TestOutcome


class Execution(StrEnum):
    """First part of a run's status: how the function ended."""

    RUNNING = "running"
    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"


class RunStatus(StrEnum):
    """What runs can be filtered by: how the function ended, or that a test failed.

    ``ended`` are those that are ``ok`` or ``error``.
    """

    RUNNING = "running"
    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"
    ENDED = "ended"
    TESTS_FAILED = "tests-failed"


class RunOrder(StrEnum):
    """Which run comes first in a list."""

    NEWEST = "newest"
    OLDEST = "oldest"


class TestVerdict(StrEnum):
    """Second part of a run's status: what its tests found."""

    PASSED = "passed"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StaleReason:
    """Third part of a run's status: one reason why the run may need to be redone.

    Attributes:
        kind: ``old_input``, ``fresher_run`` or ``drifted_input``.
        sentence: the reason for people, e.g. "etl (ID 12) was run 41 days ago."
        dependency_id: the run that the reason is about.
    """

    kind: str
    sentence: str
    dependency_id: int


@dataclass(slots=True)
class RunSummary:
    """A component run as lists show it.

    Not frozen: an answer holds thousands, and to make them would take twice as long.
    """

    id: int
    trace_id: str
    span_id: str
    component: str
    owner: str | None
    tags: list[str]
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    execution: Execution
    tests: TestVerdict
    stale: list[StaleReason]
    partition: str | None
    git_hash: str | None
    git_tags: list[str]
    message: str | None
    input_count: int
    output_count: int
    inputs: list[str]
    """Names of the first inputs, at most ten."""
    outputs: list[str]
    """Names of the first outputs, at most ten."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """One input or output of a run."""

    name: str
    type: str
    digest: str | None
    size_bytes: int | None
    labels: list[str]
    flagged: bool
    producer_id: int | None = None
    """The run that wrote it, for inputs; None if unknown."""
    content_changed_outside: bool = False
    """True if somebody altered the content between its producer and this run."""


@dataclass(frozen=True, slots=True)
class UpstreamFault:
    """An ancestor with which something is wrong.

    Attributes:
        run_id: the ancestor.
        depth: how many runs up it is; 1 for one that the run itself read from.
        sentence: what is wrong, e.g. "Made from data that failed RangeTest.testNulls two runs up."
    """

    run_id: int
    depth: int
    sentence: str


@dataclass(frozen=True, slots=True)
class UpstreamVerdict:
    """What is wrong further up in a run's lineage.

    Attributes:
        run_count: ancestors that were looked at, nearest first.
        failed_tests: tests of theirs that failed.
        stale: how many of them are stale.
        error: how many of them raised.
        aborted: how many of them never ended.
        truncated: true if there are more ancestors than ``UPSTREAM_LIMIT``.
        faults: those that failed, aborted, or whose tests failed; the nearest
            ``UPSTREAM_FAULT_LIMIT``, nearest first.
    """

    run_count: int
    failed_tests: int
    stale: int
    error: int
    aborted: int
    truncated: bool
    faults: list[UpstreamFault] = field(default_factory=list)


UPSTREAM_LIMIT = 200
UPSTREAM_FAULT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Run:
    """A component run with everything that is known about it.

    At most ``POINTER_LIMIT`` inputs and outputs are listed; ``summary`` has the full counts.
    """

    summary: RunSummary
    description: str | None
    parent_id: int | None
    inputs: list[Pointer]
    outputs: list[Pointer]
    test_outcomes: list[TestOutcome]
    dependencies: list[RunSummary]
    notes: str | None
    code: str | None
    code_function: str | None
    code_file: str | None
    code_line: int | None
    git_ref: str | None
    git_repository: str | None
    git_dirty: bool | None
    error_type: str | None
    staleness_threshold_s: float
    stacktrace: str | None = None
    resource: dict[str, object] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    note_history: list[Note] = field(default_factory=list)
    """The newest notes, newest first, at most ``NOTE_LIMIT``; the first of them is ``notes``."""
    upstream: UpstreamVerdict | None = None
    profiles: list[ProfileSummary] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)


POINTER_LIMIT = 1000


NOTE_LIMIT = 20


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first. ``next_cursor`` goes into ``before`` to get the page that follows."""

    items: list[RunSummary]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RunCount:
    """How many runs answer to a question."""

    count: int
