"""The HTTP API's shapes: each dataclass is the JSON object of the same fields.

The exporter answers with them, the client and the command line read them. Times are aware datetimes
in UTC (ISO 8601 in JSON), durations are seconds, sizes are bytes, ids of runs are small integers.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mltrace_otel.contract.outcomes import TestOutcome as TestOutcome  # noqa: PLC0414 - a shape, too


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
class Note:
    """What somebody wrote about a run. All notes are kept.

    Attributes:
        id: its number; None for the note that the run itself brought along.
        run_id: the run that it is about.
        text: what it says.
        author: who wrote it, as far as it was told.
        noted_at: when.
    """

    id: int | None
    run_id: int
    text: str
    author: str | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Body of ``POST /api/runs/{ref}/notes``."""

    text: str
    author: str | None = None


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
    """

    run_count: int
    failed_tests: int
    stale: int
    error: int
    aborted: int
    truncated: bool


UPSTREAM_LIMIT = 200


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


@dataclass(frozen=True, slots=True)
class NotePage:
    """Notes, newest first. ``next_cursor`` goes into ``before`` to get the page that follows."""

    items: list[Note]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Component:
    """A stage of a pipeline.

    Owner and description are the newest words about it, whether a run or a person said them; tags
    are those of the newest run's words and all that people gave it.
    """

    name: str
    owner: str | None
    description: str | None
    tags: list[str]
    run_count: int
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class ComponentRequest:
    """Body of ``PUT /api/components/{name}``: what a person says about a component.

    Attributes:
        owner: who answers for it; None leaves it as it is.
        description: what it does; None leaves it as it is.
        tags: the tags that people give it, instead of those they gave it before; None leaves them.
    """

    owner: str | None = None
    description: str | None = None
    tags: list[str] | None = None


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Body of ``POST /api/tags``: tags that a component gets besides those it has."""

    component: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many components carry it."""

    name: str
    component_count: int


@dataclass(frozen=True, slots=True)
class PointerUse:
    """A run that wrote or read a pointer, and the content that it found there."""

    run_id: int
    component: str
    moment: datetime
    """When the writer ended, or the reader began."""
    type: str
    digest: str | None
    size_bytes: int | None
    labels: list[str]


class FlagState(StrEnum):
    """Which flags are asked for."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"


class Severity(StrEnum):
    """How bad an output is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


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
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class PointerHistory:
    """A pointer: who wrote it and who read it, newest first, and its flags.

    Attributes:
        name: its name.
        type: what the last run said that it is: data, model, endpoint or unknown.
        flagged: whether it is flagged now.
        versions: runs that wrote it.
        versions_cursor: goes into ``versions_before`` to get older ones.
        readers: runs that read it.
        readers_cursor: goes into ``readers_before`` to get older ones.
        flags: its newest flags, open or not, at most ``POINTER_FLAG_LIMIT``.
    """

    name: str
    type: str
    flagged: bool
    versions: list[PointerUse]
    versions_cursor: str | None
    readers: list[PointerUse]
    readers_cursor: str | None
    flags: list[Flag]


POINTER_FLAG_LIMIT = 100


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
    """Everything upstream or, for an impact, downstream of a run, nearest first.

    Attributes:
        output: the output that was asked about; None if a run was.
        run_id: the run that the answer begins at: the one asked about, or the output's last writer.
        nodes: the runs.
        edges: what they read from each other.
        truncated: true if the lineage holds more than ``TRACE_LIMIT`` runs.
    """

    output: str | None
    run_id: int
    nodes: list[TraceNode]
    edges: list[TraceEdge]
    truncated: bool


TRACE_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class ComponentNode:
    """A component in a lineage: its shortest distance, and how many of its runs are there."""

    component: str
    depth: int
    run_count: int


@dataclass(frozen=True, slots=True)
class ComponentEdge:
    """Runs of ``consumer`` read what runs of ``producer`` wrote.

    ``content_changed_outside`` is true if one of them read altered content.
    """

    consumer: str
    producer: str
    edge_count: int
    content_changed_outside: bool


@dataclass(frozen=True, slots=True)
class ComponentTrace:
    """A trace or an impact with the runs of each component taken together."""

    output: str | None
    run_id: int
    nodes: list[ComponentNode]
    edges: list[ComponentEdge]
    truncated: bool


@dataclass(frozen=True, slots=True)
class FlagRequest:
    """Body of ``POST /api/flags``."""

    outputs: list[str]
    reason: str | None = None
    by: str | None = None
    severity: Severity | None = None


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
class SearchAnswer:
    """What holds all words of a search, at most ``limit`` of each kind.

    Attributes:
        components: those with the words in their name or description, by name.
        pointers: names of inputs and outputs with words that begin so; the exact name comes first.
        notes: those with words that begin so, newest first.
        truncated: true if there is more: say more words.
    """

    components: list[Component]
    pointers: list[str]
    notes: list[Note]
    truncated: bool


CLEAN_CONFIRMATION = "delete all data"
"""What ``DELETE /api/data`` must be told to delete everything that was recorded."""


@dataclass(frozen=True, slots=True)
class CleanRequest:
    """Body of ``DELETE /api/data``. ``confirm`` must be ``CLEAN_CONFIRMATION``."""

    confirm: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was deleted: how many runs."""

    run_count: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A span that was received and could not be stored.

    Attributes:
        id: its number.
        received_at: when it came first.
        reason: why it could not be stored, in a sentence.
        component: whose run it may have been; None if that cannot be told.
        encoding: how the content is written: a content type of OTLP.
        size_bytes: how long the content was; of a long one the beginning is kept.
        content: what was sent, in base64.
    """

    id: int
    received_at: datetime
    reason: str
    component: str | None
    encoding: str
    size_bytes: int
    content: str


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """Dead letters, newest first. ``next_cursor`` goes into ``before`` to get what follows."""

    items: list[DeadLetter]
    next_cursor: int | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Any error of the API, as ``application/problem+json``. Source: RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
