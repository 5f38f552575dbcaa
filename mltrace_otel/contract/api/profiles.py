"""What runs' inputs and outputs held: distributions, and numbers that say how well a run did."""

from dataclasses import dataclass
from datetime import datetime

from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.summaries import Summary


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """What a variable of a run held, in figures.

    Attributes:
        direction: ``input`` or ``output``.
        variable: name of the variable.
        pointer: name of the input or output that it is; None if it was not said.
        rows: how many rows there are.
        looked_at: how many of them the figures are of.
        columns: figures of each column.
        columns_left_out: how many columns there are beside them.
    """

    direction: str
    variable: str
    pointer: str | None
    rows: int
    looked_at: int
    columns: list[Summary]
    columns_left_out: int


@dataclass(frozen=True, slots=True)
class RunProfile:
    """What a variable held in one run, with histograms and frequent values.

    Attributes:
        run_id: the run.
        started_at: when it began.
        direction: ``input`` or ``output``.
        variable: name of the variable.
        pointer: name of the input or output that it is; None if it was not said.
        profile: the distribution of each column.
        summaries: figures of each column, in the same order.
    """

    run_id: int
    started_at: datetime
    direction: str
    variable: str
    pointer: str | None
    profile: Profile
    summaries: list[Summary]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of a run.

    Attributes:
        name: what was measured; of an output, the variable.
        value: the number; None if it was infinite, or none at all (NaN).
        is_output: whether the function gave it, instead of logging it.
    """

    name: str
    value: float | None
    is_output: bool


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """The value of a metric in one run, as in `Metric`."""

    run_id: int
    started_at: datetime
    value: float | None


@dataclass(frozen=True, slots=True)
class MetricHistory:
    """The values of a metric over a component's newest runs, newest first."""

    name: str
    is_output: bool
    points: list[MetricPoint]
