"""What led to an output, and what it led to.

Nodes and edges are not frozen: an answer holds thousands, and to make them would take twice as
long.
"""

from dataclasses import dataclass
from enum import StrEnum

from mltrace_otel.contract.api.runs import RunSummary


@dataclass(slots=True)
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


@dataclass(slots=True)
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
        truncated: true if the lineage holds more runs than were asked for.
    """

    output: str | None
    run_id: int
    nodes: list[TraceNode]
    edges: list[TraceEdge]
    truncated: bool


TRACE_LIMIT = 2000
"""How many runs a lineage holds at most, if nothing else is asked for."""

LARGEST_TRACE = 10_000
"""How many can be asked for."""


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
