"""A component run as the client builds it, by the decorator or by hand."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mltrace_otel.contract.outcomes import TestOutcome
from mltrace_otel.errors import SetupError
from mltrace_otel.pointers import IOPointer, point
from mltrace_otel.profiling import read_number

if TYPE_CHECKING:
    from mltrace_otel.profiles.shapes import Profile


class VariableProfile(NamedTuple):
    """How a variable was distributed; ``pointer`` is the input or output that it is, if one."""

    direction: str
    variable: str
    pointer: str | None
    profile: "Profile"


class Measurement(NamedTuple):
    """A number that a run logged, or that its function gave."""

    name: str
    value: float
    is_output: bool = False


@dataclass(slots=True)
class ComponentRun:
    """One run of a component.

    Attributes:
        component_name: name of the component.
        notes: free text.
        start_timestamp: when it began; a naive time is taken as UTC, as mltrace did.
        end_timestamp: when it ended.
        inputs: what it read.
        outputs: what it wrote.
        upstream: components whose latest earlier runs it depends on, besides its inputs' producers.
        partition: what part of the data it was about, e.g. a customer or a day.
        staleness_threshold_s: age in seconds above which an input makes the run stale.
        infers_dependencies: False if inputs say nothing about dependencies.
        git_hash: commit of the code.
        git_tags: tags on that commit.
        code_snapshot: source of the code.
        test_outcomes: what its tests found.
        profiles: how its inputs and outputs were distributed.
        metrics: numbers that it logged, or that its function gave.
    """

    component_name: str
    notes: str = ""
    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None
    inputs: list[IOPointer] = field(default_factory=list)
    outputs: list[IOPointer] = field(default_factory=list)
    upstream: list[str] = field(default_factory=list)
    partition: str | None = None
    staleness_threshold_s: float | None = None
    infers_dependencies: bool = True
    git_hash: str | None = None
    git_tags: list[str] = field(default_factory=list)
    code_snapshot: str | None = None
    test_outcomes: list[TestOutcome] = field(default_factory=list)
    profiles: list[VariableProfile] = field(default_factory=list)
    metrics: list[Measurement] = field(default_factory=list)

    def set_start_timestamp(self, ts: datetime | None = None) -> None:
        """Say when the run began; now if nothing is said."""
        self.start_timestamp = ts or datetime.now(UTC)

    def set_end_timestamp(self, ts: datetime | None = None) -> None:
        """Say when the run ended; now if nothing is said."""
        self.end_timestamp = ts or datetime.now(UTC)

    def add_input(self, inp: str | os.PathLike[str] | IOPointer) -> None:
        """Add something that the run read: its name, its path or a pointer."""
        self.inputs.append(_as_pointer(inp))

    def add_inputs(self, inputs: Iterable[str | os.PathLike[str] | IOPointer]) -> None:
        """Add things that the run read."""
        self.inputs.extend(map(_as_pointer, inputs))

    def add_output(self, out: str | os.PathLike[str] | IOPointer) -> None:
        """Add something that the run wrote: its name, its path or a pointer."""
        self.outputs.append(_as_output(out))

    def add_outputs(self, outputs: Iterable[str | os.PathLike[str] | IOPointer]) -> None:
        """Add things that the run wrote."""
        self.outputs.extend(map(_as_output, outputs))

    def set_upstream(self, dependencies: str | Iterable[str]) -> None:
        """Declare that the run depends on the latest earlier run of each named component."""
        names = [dependencies] if isinstance(dependencies, str) else dependencies
        self.upstream.extend(name for name in names if name not in self.upstream)

    def set_git_hash(self, git_hash: str | None) -> None:
        """Say at which commit the code was."""
        self.git_hash = git_hash

    def set_git_tags(self, git_tags: Iterable[str]) -> None:
        """Say which tags are on that commit."""
        self.git_tags = list(git_tags)

    def set_code_snapshot(self, code_snapshot: str | bytes) -> None:
        """Say what the code was."""
        if isinstance(code_snapshot, bytes):
            code_snapshot = code_snapshot.decode("utf-8", "replace")
        self.code_snapshot = code_snapshot

    def log_metric(self, name: str, value: float) -> None:
        """Record a number, such as a loss. The last of a name counts.

        Raises:
            SetupError: the name is empty, or the value is no number.
        """
        number = read_number(value)
        if not isinstance(name, str) or not name or number is None:
            raise SetupError(f"A metric is a name and a number, not {name!r} and {value!r:.200}.")
        self.metrics = [each for each in self.metrics if each.is_output or each.name != name]
        self.metrics.append(Measurement(name, number))

    def add_notes(self, notes: str) -> None:
        """Say something about the run, on a line of its own."""
        self.notes = f"{self.notes}\n{notes}" if self.notes else str(notes)

    def tidy(self) -> None:
        """Make pointers of names, and texts of what is none, where somebody set a field himself."""
        self.inputs = [_as_pointer(each) for each in self.inputs]
        self.outputs = [_as_output(each) for each in self.outputs]
        self.notes = str(self.notes or "")
        self.partition = None if self.partition is None else str(self.partition)


def _as_output(value: str | os.PathLike[str] | IOPointer) -> IOPointer:
    # Whoever wrote it before, this run writes it now.
    return replace(_as_pointer(value), producer=None)


def _as_pointer(value: str | os.PathLike[str] | IOPointer) -> IOPointer:
    return value if isinstance(value, IOPointer) else point(os.fspath(value))
