"""What a run's variables held, as its page shows it: figures, pictures, and what drifted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import inf

from mltrace_exporter.panel.charts import Chart, draw_column
from mltrace_exporter.queries.drift import VariableComparison
from mltrace_otel.contract.api import RunProfile
from mltrace_otel.profiles.shapes import Column
from mltrace_otel.profiles.summaries import Summary
from mltrace_otel.profiles.verdicts import ColumnDrift, rank

COLUMNS_SHOWN = 24
"""Columns of a variable that the page of a run shows."""
_AS_BEFORE = (True, inf)


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column: its figures, its picture, and what became of it if that could be judged."""

    summary: Summary
    chart: Chart | None
    drift: ColumnDrift | None

    @property
    def drifted(self) -> bool:
        """True if it drifted."""
        return self.drift is not None and self.drift.drifted


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a run.

    Attributes:
        profile: what it held.
        columns: some of its columns; those that drifted stand before all others, the worst first.
        start: how many of them come before.
        more_columns: how many come after.
        reference_ids: the runs that it is compared with; none if there were none.
        reference_rows: how many rows those had together.
        sentences: what drifted, for people.
    """

    profile: RunProfile
    columns: list[ColumnView]
    start: int
    more_columns: int
    reference_ids: list[int]
    reference_rows: int
    sentences: list[str]


def show_variables(
    profiles: Iterable[RunProfile],
    comparisons: Collection[VariableComparison],
    start: int = 0,
    most: int = COLUMNS_SHOWN,
) -> list[Variable]:
    """Return a run's variables, each with what it was compared with.

    Args:
        profiles: what they held.
        comparisons: what that was compared with.
        start: how many columns of each to leave out.
        most: how many columns of each to show, at most.
    """
    found = {(each.key.direction, each.key.variable): each for each in comparisons}
    return [
        _show(each, found.get((each.direction, each.variable)), slice(start, start + most))
        for each in profiles
    ]


def _show(profile: RunProfile, comparison: VariableComparison | None, part: slice) -> Variable:
    before: dict[str, Column] = {}
    drifts: dict[str, ColumnDrift] = {}
    if comparison:
        before = {column.name: column for column in comparison.before.columns}
        drifts = {each.column: each for each in comparison.drift.columns}
    pairs = sorted(
        zip(profile.profile.columns, profile.summaries, strict=True),
        key=lambda pair: _rank(drifts.get(pair[0].name)),
    )
    return Variable(
        profile=profile,
        columns=[
            ColumnView(
                summary, draw_column(column, before.get(column.name)), drifts.get(column.name)
            )
            for column, summary in pairs[part]
        ],
        start=part.start,
        more_columns=len(pairs[part.stop :]),
        reference_ids=comparison.reference_ids if comparison else [],
        reference_rows=comparison.before.rows if comparison else 0,
        sentences=comparison.drift.sentences if comparison else [],
    )


def _rank(drift: ColumnDrift | None) -> tuple[bool, float]:
    drifts = [each for each in drift.deviations if each.drifted] if drift else []
    return min(map(rank, drifts), default=_AS_BEFORE)
