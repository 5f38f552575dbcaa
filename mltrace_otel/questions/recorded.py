"""What was recorded, as objects to work with: runs, their inputs and outputs, lineages.

Shapes of the API in, objects out. What a list of runs does not tell is asked for when it is used.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from mltrace_otel.contract.api import (
    Execution,
    Flag,
    Note,
    Pointer,
    PointerHistory,
    PointerUse,
    Run,
    RunSummary,
    TestOutcome,
    TestVerdict,
    Trace,
)
from mltrace_otel.questions.tables import Columns, Table, show
from mltrace_otel.saving import load

_TEST_WORDS = {
    TestVerdict.PASSED: "tests passed",
    TestVerdict.FAILED: "tests failed",
    TestVerdict.NONE: "no tests",
}


@dataclass(frozen=True, slots=True)
class RecordedPointer(Pointer):
    """An input or output of a recorded run."""

    def load(self) -> Any:  # noqa: ANN401 - callers know what they saved
        """Return the value, where it was kept by ``auto_log`` or `save`.

        Raises:
            ArtifactMissing: nothing is kept under this name.
        """
        return load(self.name)


class RecordedRun:
    """A component run as the server knows it.

    Attributes:
        summary: what lists of runs tell of it; all else is asked for when it is used.
    """

    def __init__(self, summary: RunSummary, ask: Callable[[], Run]) -> None:
        self.summary = summary
        self._ask = ask

    @cached_property
    def details(self) -> Run:
        """Everything that is known about it, as the HTTP API answers."""
        return self._ask()

    @property
    def id(self) -> int:
        """Its number."""
        return self.summary.id

    @property
    def component_name(self) -> str:
        """Name of its component."""
        return self.summary.component

    @property
    def owner(self) -> str | None:
        """Owner of its component."""
        return self.summary.owner

    @property
    def tags(self) -> list[str]:
        """Tags of its component."""
        return self.summary.tags

    @property
    def start_timestamp(self) -> datetime:
        """When it began, in UTC."""
        return self.summary.started_at

    @property
    def end_timestamp(self) -> datetime | None:
        """When it ended, in UTC."""
        return self.summary.ended_at

    @property
    def duration_s(self) -> float | None:
        """How long it took, in seconds."""
        return self.summary.duration_s

    @property
    def execution(self) -> Execution:
        """How the function ended: ok, error, running or aborted."""
        return self.summary.execution

    @property
    def tests(self) -> TestVerdict:
        """What its tests found: passed, failed or none."""
        return self.summary.tests

    @property
    def stale(self) -> list[str]:
        """Why it may need to be run again, in sentences."""
        return [reason.sentence for reason in self.summary.stale]

    @property
    def partition(self) -> str | None:
        """What part of the data it was about."""
        return self.summary.partition

    @property
    def git_hash(self) -> str | None:
        """Commit of its code."""
        return self.summary.git_hash

    @property
    def git_tags(self) -> list[str]:
        """Tags on that commit."""
        return self.summary.git_tags

    @property
    def message(self) -> str | None:
        """What its error said."""
        return self.summary.message

    @cached_property
    def inputs(self) -> list[RecordedPointer]:
        """What it read."""
        return Table(map(_point, self.details.inputs), _POINTER_COLUMNS)

    @cached_property
    def outputs(self) -> list[RecordedPointer]:
        """What it wrote."""
        return Table(map(_point, self.details.outputs), _POINTER_COLUMNS)

    @property
    def dependencies(self) -> list[str]:
        """Components whose runs it depends on."""
        return list(dict.fromkeys(run.component for run in self.details.dependencies))

    @property
    def code_snapshot(self) -> str | None:
        """Source of its function."""
        return self.details.code

    @property
    def notes(self) -> str | None:
        """The newest note about it."""
        return self.details.notes

    @property
    def note_history(self) -> list[Note]:
        """The newest notes about it, newest first."""
        return self.details.note_history

    @property
    def test_outcomes(self) -> list[TestOutcome]:
        """What each test found."""
        return self.details.test_outcomes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordedRun) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        status = [str(self.execution), _TEST_WORDS[self.tests], *(["stale"] if self.stale else [])]
        return f"<run {self.id} of {self.component_name}: {', '.join(status)}; {self._when()}>"

    def _key(self) -> tuple[str, str]:
        return self.summary.trace_id, self.summary.span_id

    def _when(self) -> str:
        took = "" if self.duration_s is None else f", took {self.duration_s:.3g} s"
        return f"{show(self.start_timestamp)} UTC{took}"


def _point(pointer: Pointer) -> RecordedPointer:
    return RecordedPointer(*(getattr(pointer, name) for name in Pointer.__slots__))


def list_records(runs: Iterable[RecordedRun]) -> Table[RecordedRun]:
    """Return runs as a table."""
    return Table(runs, RUN_COLUMNS)


RUN_COLUMNS: Columns = (
    ("id", lambda run: run.id),
    ("component", lambda run: run.component_name),
    ("started", lambda run: run.start_timestamp),
    ("seconds", lambda run: run.duration_s),
    ("run", lambda run: str(run.execution)),
    ("tests", lambda run: str(run.tests)),
    ("stale", lambda run: bool(run.stale)),
    ("partition", lambda run: run.partition),
    ("inputs", lambda run: run.summary.inputs),
    ("outputs", lambda run: run.summary.outputs),
)
_POINTER_COLUMNS: Columns = (
    ("name", lambda pointer: pointer.name),
    ("type", lambda pointer: pointer.type),
    ("bytes", lambda pointer: pointer.size_bytes),
    ("digest", lambda pointer: pointer.digest),
    ("flagged", lambda pointer: pointer.flagged),
    ("producer", lambda pointer: pointer.producer_id),
)
_USE_COLUMNS: Columns = (
    ("run", lambda use: use.run_id),
    ("component", lambda use: use.component),
    ("when", lambda use: use.moment),
    ("bytes", lambda use: use.size_bytes),
    ("digest", lambda use: use.digest),
)
FLAG_COLUMNS: Columns = (
    ("output", lambda flag: flag.output),
    ("flagged", lambda flag: flag.flagged_at),
    ("by", lambda flag: flag.flagged_by),
    ("severity", lambda flag: flag.severity),
    ("reason", lambda flag: flag.reason),
    ("resolved", lambda flag: flag.resolved_at),
    ("resolution", lambda flag: flag.resolution),
)


@dataclass(frozen=True)
class PointerRecord:
    """A pointer: who wrote it and who read it, newest first, and its flags.

    Attributes:
        name: its name.
        type: data, model, endpoint or unknown.
        flagged: whether it is flagged now.
        versions: runs that wrote it.
        readers: runs that read it.
        flags: its flags, open or not.
    """

    name: str
    type: str
    flagged: bool
    versions: Table[PointerUse]
    readers: Table[PointerUse]
    flags: Table[Flag]

    def __repr__(self) -> str:
        flagged = ", flagged" if self.flagged else ""
        return (
            f"<{self.type} {self.name!r}: {len(self.versions)} versions, "
            f"{len(self.readers)} readers{flagged}>"
        )


def make_pointer_record(answer: PointerHistory) -> PointerRecord:
    """Return a pointer as the API tells of it."""
    return PointerRecord(
        answer.name,
        answer.type,
        answer.flagged,
        Table(answer.versions, _USE_COLUMNS),
        Table(answer.readers, _USE_COLUMNS),
        Table(answer.flags, FLAG_COLUMNS),
    )


@dataclass(frozen=True)
class TraceTree:
    """A run in a tree of what led to an output.

    Attributes:
        run: the run.
        depth: how many steps it is away from the run that wrote the output.
        pointers: what the run above it in the tree read from it.
        children: the runs that it read from.
        is_repeated: true if it stands elsewhere in the tree, with its children.
    """

    run: RecordedRun
    depth: int
    pointers: list[str]
    children: list["TraceTree"] = field(default_factory=list)
    is_repeated: bool = False

    def walk(self) -> Iterator["TraceTree"]:
        """Return this run and all below it, each before its children."""
        waiting = [self]
        while waiting:
            tree = waiting.pop()
            yield tree
            waiting.extend(reversed(tree.children))

    def __repr__(self) -> str:
        levels = {id(self): 0}
        lines = []
        for tree in self.walk():
            level = levels[id(tree)]
            levels.update(dict.fromkeys(map(id, tree.children), level + 1))
            wrote = f" wrote {', '.join(tree.pointers)}" if tree.pointers else ""
            again = " (see elsewhere)" if tree.is_repeated else ""
            lines.append(f"{'  ' * level}{tree.run!r}{wrote}{again}")
        return "\n".join(lines)


def grow_tree(trace: Trace, record: Callable[[RunSummary], RecordedRun]) -> TraceTree:
    """Return a trace as a tree. A run that several read from has its children in one place."""
    nodes = {node.run.id: node for node in trace.nodes}
    reads: dict[int, dict[int, list[str]]] = {}
    for edge in trace.edges:
        if edge.producer_id in nodes:
            names = reads.setdefault(edge.consumer_id, {}).setdefault(edge.producer_id, [])
            names.extend([] if edge.pointer is None else [edge.pointer])
    output = [] if trace.output is None else [trace.output]
    root = TraceTree(record(nodes[trace.run_id].run), 0, output)
    grown, level = {trace.run_id}, [root]
    while level:
        following = []
        for tree in level:
            for producer, pointers in reads.get(tree.run.id, {}).items():
                node = nodes[producer]
                repeated = producer in grown
                child = TraceTree(record(node.run), node.depth, pointers, is_repeated=repeated)
                tree.children.append(child)
                following += [] if repeated else [child]
                grown.add(producer)
        level = following
    return root
