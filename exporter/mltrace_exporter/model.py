"""What senders said of component runs, decoded and ready to store.

`decode` makes these values, `store.arrivals.write` stores them. Strings hold no NUL character and
no lone surrogate, times are aware and in UTC, so that whatever is here can be stored. What there is
many of is a named tuple: a frozen dataclass takes three times as long to make.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

_NOTHING: Mapping[str, object] = {}


class SpanId(NamedTuple):
    """Identity of a span: 16 and 8 bytes."""

    trace_id: bytes
    span_id: bytes


class Io(NamedTuple):
    """One input or output of a run."""

    direction: str
    name: str
    type: str = "unknown"
    digest: str | None = None
    size_bytes: int | None = None
    labels: tuple[str, ...] = ()
    producer: SpanId | None = None


class TestResult(NamedTuple):
    """What one test method found."""

    suite: str
    case: str
    phase: str
    status: str
    message: str | None = None
    duration_s: float | None = None


class VariableProfile(NamedTuple):
    """What a variable held.

    ``columns`` is the JSON of `mltrace_otel.profiles.encoding`, ``figures`` that of a list of
    `mltrace_otel.profiles.summaries.Summary`.
    """

    direction: str
    variable: str
    pointer: str | None
    rows: int
    looked_at: int
    columns_left_out: int
    columns: str
    figures: str


class MetricValue(NamedTuple):
    """A number that a run logged, or that its function gave. It may be NaN or infinite."""

    name: str
    value: float
    is_output: bool = False


class Words(NamedTuple):
    """What a run says about its component. The newest run's words win as a whole."""

    owner: str | None
    description: str | None
    tags: tuple[str, ...]


class Run(NamedTuple):
    """One finished component run."""

    id: SpanId
    component: str
    started_at: datetime
    ended_at: datetime
    execution: str
    parent_span_id: bytes | None = None
    words: Words | None = None
    message: str | None = None
    error_type: str | None = None
    notes: str | None = None
    partition: str | None = None
    staleness_threshold_s: float | None = None
    upstream: tuple[str, ...] = ()
    infers_dependencies: bool = True
    code: str | None = None
    code_function: str | None = None
    code_file: str | None = None
    code_line: int | None = None
    git_hash: str | None = None
    git_ref: str | None = None
    git_repository: str | None = None
    git_tags: tuple[str, ...] = ()
    git_dirty: bool | None = None
    io: tuple[Io, ...] = ()
    tests: tuple[TestResult, ...] = ()
    profiles: tuple[VariableProfile, ...] = ()
    metrics: tuple[MetricValue, ...] = ()
    resource: Mapping[str, object] = _NOTHING
    attributes: Mapping[str, object] = _NOTHING


@dataclass(frozen=True, slots=True)
class Marker:
    """A sign of life of a run that has not ended, or never will.

    Attributes:
        span_id: the marker's own.
        run: what was known of the run: ``execution`` is ``running`` or ``aborted``, ``ended_at``
            when it was last known to be alive. It has inputs only.
    """

    span_id: bytes
    run: Run

    @property
    def rank(self) -> tuple[bool, datetime, bytes]:
        """Of a run's markers the greatest tells the latest, in whatever order they arrive."""
        return self.run.execution == "aborted", self.run.ended_at, self.span_id


@dataclass(frozen=True, slots=True)
class IoPart:
    """Inputs and outputs of a run whose own span had no room for them.

    Attributes:
        id: of the span that carried them.
        run: the run.
        offset: the position of the first among all of the run's.
        io: the inputs and outputs.
    """

    id: SpanId
    run: SpanId
    offset: int
    io: tuple[Io, ...]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A span that cannot be stored.

    Attributes:
        reason: why, in a sentence.
        content: what was sent.
        encoding: how that is written: a content type.
        component: whose run it may have been, where that can be told.
    """

    reason: str
    content: bytes
    encoding: str
    component: str | None = None


Said = Run | Marker | IoPart | DeadLetter
"""What one span says."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request said, or several together; ``ignored`` spans said nothing of runs."""

    runs: list[Run] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    parts: list[IoPart] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    ignored: int = 0

    def __len__(self) -> int:
        return len(self.runs) + len(self.markers) + len(self.parts) + len(self.dead_letters)

    def list_said(self) -> list[Said]:
        """Return everything it said."""
        return [*self.runs, *self.markers, *self.parts, *self.dead_letters]


def make_batch(spans: Sequence[Said]) -> Batch:
    """Return a batch that says these things."""
    return Batch(
        [span for span in spans if isinstance(span, Run)],
        [span for span in spans if isinstance(span, Marker)],
        [span for span in spans if isinstance(span, IoPart)],
        [span for span in spans if isinstance(span, DeadLetter)],
    )


def join_batches(batches: Iterable[Batch]) -> Batch:
    """Return what all batches said, in their order."""
    every = list(batches)
    return Batch(
        [run for batch in every for run in batch.runs],
        [marker for batch in every for marker in batch.markers],
        [part for batch in every for part in batch.parts],
        [letter for batch in every for letter in batch.dead_letters],
        sum(batch.ignored for batch in every),
    )
