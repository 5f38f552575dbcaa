"""A lineage to what is drawn of it: boxes, each a run or all runs of a component, and lines."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mltrace_exporter.queries.sketches import Sketch, SketchedRun
from mltrace_otel.contract.api import Execution, TestVerdict, TraceEdge

RUNS_SHOWN = 60
"""Of larger lineages the runs of each component are taken together, if nothing else is asked."""


class Mark(StrEnum):
    """What makes a run stand out, gravest first."""

    ERROR = "error"
    ABORTED = "aborted"
    TESTS_FAILED = "tests-failed"
    STALE = "stale"
    FLAGGED = "flagged"
    RUNNING = "running"

    @property
    def word(self) -> str:
        """What is said of a run that bears it."""
        return "failed" if self is Mark.ERROR else self.replace("-", " ")

    def tell(self, many: int) -> str:
        """Return how many runs bear it, in words."""
        return f"{many:,} {'with failed tests' if self is Mark.TESTS_FAILED else self.word}"


class View(StrEnum):
    """What a box stands for."""

    RUNS = "runs"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class Box:
    """A run, or several of one component taken together.

    Attributes:
        key: names the box among those of its diagram; letters, digits and hyphens.
        component: whose runs they are.
        runs: one or more, nearest first.
        marks: how many of the runs bear each mark; none that nobody bears.
        inner_lines: how often one of them read from another.
    """

    key: str
    component: str
    runs: tuple[SketchedRun, ...]
    marks: Mapping[Mark, int]
    inner_lines: int = 0

    @property
    def is_group(self) -> bool:
        """True if it stands for several runs."""
        return len(self.runs) > 1

    @property
    def run(self) -> SketchedRun:
        """The nearest of its runs, or the only one."""
        return self.runs[0]

    @property
    def depth(self) -> int:
        """The shortest distance, in readings, from the run that the lineage begins at."""
        return self.runs[0].depth

    @property
    def gravest(self) -> Mark | None:
        """The gravest of its marks."""
        return next((mark for mark in Mark if mark in self.marks), None)


@dataclass(frozen=True, slots=True)
class Line:
    """What the runs of one box read from those of another.

    Attributes:
        producer: key of the box that wrote it.
        consumer: key of the box that read it.
        names: of what was read, each once; none where dependencies were declared by hand.
        changed_outside: whether somebody altered some of it in between.
    """

    producer: str
    consumer: str
    names: tuple[str, ...]
    changed_outside: bool

    @property
    def is_declared(self) -> bool:
        """True if somebody only said that one depends on the other."""
        return not self.names


@dataclass(frozen=True, slots=True)
class Diagram:
    """What is drawn of a lineage.

    Attributes:
        root: the box with the run that it begins at.
        boxes: nearest first.
        lines: between two different boxes, at most one each way.
        view: whether the runs of a component are taken together.
        opened: components whose runs are drawn apart all the same.
        is_upstream: whether it leads to what was read, or to what was made.
        run_count: how many runs the boxes stand for.
        truncated: whether the lineage holds more runs than these.
    """

    root: str
    boxes: list[Box]
    lines: list[Line]
    view: View
    opened: tuple[str, ...]
    is_upstream: bool
    run_count: int
    truncated: bool

    @property
    def counts(self) -> Mapping[Mark, int]:
        """How many runs bear each mark."""
        counts: Counter[Mark] = Counter()
        for box in self.boxes:
            counts.update(box.marks)
        return {mark: counts[mark] for mark in Mark if counts[mark]}


def make_diagram(
    lineage: Sketch,
    *,
    is_upstream: bool,
    flagged: Collection[int] = (),
    view: View | None = None,
    opened: Collection[str] = (),
) -> Diagram:
    """Return what is drawn of a lineage.

    Args:
        lineage: a trace or an impact.
        is_upstream: whether it is a trace.
        flagged: runs with an output that is flagged.
        view: whether the runs of a component are taken together; by the lineage's size if not said.
        opened: components whose runs are drawn apart in any case.
    """
    if view is None:
        view = View.RUNS if len(lineage.runs) <= RUNS_SHOWN else View.COMPONENTS
    keys = _assign(lineage.runs, view, frozenset(opened))
    inner, lines = _gather_lines(lineage.edges, keys)
    members: defaultdict[str, list[SketchedRun]] = defaultdict(list)
    for run in lineage.runs:
        members[keys[run.id]].append(run)
    boxes = [
        Box(key, runs[0].component, tuple(runs), _mark(runs, flagged), inner[key])
        for key, runs in members.items()
    ]
    shown = {box.component for box in boxes if box.is_group}
    return Diagram(
        root=keys[lineage.root],
        boxes=boxes,
        lines=lines,
        view=view,
        opened=tuple(name for name in dict.fromkeys(opened) if name not in shown),
        is_upstream=is_upstream,
        run_count=len(lineage.runs),
        truncated=lineage.truncated,
    )


def _assign(runs: Collection[SketchedRun], view: View, opened: Collection[str]) -> dict[int, str]:
    """Return for each run the key of its box."""
    counts = Counter(run.component for run in runs)
    numbers = {name: number for number, name in enumerate(counts)}
    return {
        run.id: f"run-{run.id}"
        if view is View.RUNS or run.component in opened or counts[run.component] == 1
        else f"component-{numbers[run.component]}"
        for run in runs
    }


def _gather_lines(
    edges: Collection[TraceEdge], keys: Mapping[int, str]
) -> tuple[Counter[str], list[Line]]:
    """Return how many edges are inside of each box, and the lines between boxes."""
    inner: Counter[str] = Counter()
    names: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    changed: set[tuple[str, str]] = set()
    for edge in edges:
        if edge.producer_id not in keys or edge.consumer_id not in keys:
            continue
        pair = keys[edge.producer_id], keys[edge.consumer_id]
        if pair[0] == pair[1]:
            inner[pair[0]] += 1
            continue
        names[pair].update({} if edge.pointer is None else {edge.pointer: None})
        if edge.content_changed_outside:
            changed.add(pair)
    return inner, [Line(*pair, tuple(found), pair in changed) for pair, found in names.items()]


def _mark(runs: Collection[SketchedRun], flagged: Collection[int]) -> dict[Mark, int]:
    counts = {
        Mark.ERROR: sum(run.execution is Execution.ERROR for run in runs),
        Mark.ABORTED: sum(run.execution is Execution.ABORTED for run in runs),
        Mark.TESTS_FAILED: sum(run.tests is TestVerdict.FAILED for run in runs),
        Mark.STALE: sum(bool(run.stale) for run in runs),
        Mark.FLAGGED: sum(run.id in flagged for run in runs),
        Mark.RUNNING: sum(run.execution is Execution.RUNNING for run in runs),
    }
    return {mark: many for mark, many in counts.items() if many}
