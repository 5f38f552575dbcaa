"""The HTTP API's shapes: each dataclass is the JSON object of the same fields.

The exporter answers with them, the client and the command line read them. Times are aware datetimes
in UTC (ISO 8601 in JSON), durations are seconds, sizes are bytes, ids of runs are small integers.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Execution(StrEnum):
    """First part of a run's status: how the function ended."""

    RUNNING = "running"
    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"


class TestVerdict(StrEnum):
    """Second part of a run's status: what its tests found."""

    PASSED = "passed"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StaleReason:
    """Third part of a run's status: one reason why the run may need to be redone.

    Attributes:
        kind: ``old_input`` or ``fresher_run``.
        sentence: the reason for people, e.g. "etl (ID 12) was run 41 days ago."
        dependency_id: the run that the reason is about.
    """

    kind: str
    sentence: str
    dependency_id: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A component run as lists show it."""

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
class TestOutcome:
    """What one test method found."""

    suite: str
    case: str
    phase: str
    status: str
    message: str | None
    duration_s: float | None


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


POINTER_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first. ``next_cursor`` goes into ``before`` to get the page that follows."""

    items: list[RunSummary]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Component:
    """A stage of a pipeline, in the words of its newest run."""

    name: str
    owner: str | None
    description: str | None
    tags: list[str]
    run_count: int
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many components carry it."""

    name: str
    component_count: int


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A run in a lineage; ``depth`` is its shortest distance, in edges, from the trace's run."""

    run: RunSummary
    depth: int


class EdgeRule(StrEnum):
    """What told that one run depends on another, strongest first."""

    LINK = "link"
    DIGEST = "digest"
    NAME = "name"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class TraceEdge:
    """``consumer_id`` read ``pointer`` from ``producer_id``; a declared edge has no pointer."""

    consumer_id: int
    producer_id: int
    pointer: str | None
    rule: EdgeRule
    content_changed_outside: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything upstream of the run that last wrote ``output``, nearest first.

    ``truncated`` is true if the lineage holds more than ``TRACE_LIMIT`` runs.
    """

    output: str
    run_id: int
    nodes: list[TraceNode]
    edges: list[TraceEdge]
    truncated: bool


TRACE_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark on an output that somebody found wrong. It is kept after it is resolved."""

    id: int
    output: str
    run_id: int | None
    """The run that had written the output when it was flagged; None if no run wrote it."""
    flagged_by: str | None
    flagged_at: datetime
    reason: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


@dataclass(frozen=True, slots=True)
class FlagRequest:
    """Body of ``POST /api/flags``."""

    outputs: list[str]
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class UnflagRequest:
    """Body of ``POST /api/flags/resolve``. Without ``outputs``, ``all`` must be true."""

    outputs: list[str] = field(default_factory=list)
    all: bool = False
    resolution: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What a flag or unflag request did."""

    changed: list[Flag]
    unchanged: list[str]
    """Outputs that already were as asked."""


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
    """

    run: RunSummary
    flagged_with: int
    unflagged_with: int
    coverage: float
    suspicion: float
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class Review:
    """The runs behind the flagged outputs, most likely culprit first."""

    flags: list[Flag]
    """The newest open flags, at most ``FLAG_LIMIT``."""
    flag_count: int
    candidates: list[Candidate]
    sort: ReviewSort


FLAG_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Any error of the API, as ``application/problem+json``. Source: RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
