"""What a profile is. In and out: frozen values that every other module of this room takes.

Whatever a profile holds is bounded, however large the data: `HISTOGRAM_BUCKETS` buckets a sign,
`TOP_VALUES` frequent values, `SKETCH_HASHES` hashes, `COLUMN_LIMIT` columns.
"""

from dataclasses import dataclass
from enum import StrEnum

HISTOGRAM_BUCKETS = 160
TOP_VALUES = 50
SKETCH_HASHES = 64
SKETCH_BITS = 53
"""Hashes are whole numbers below 2 ** 53, which every reader of JSON keeps."""
COLUMN_LIMIT = 200
FINEST_SCALE = 20


class ColumnKind(StrEnum):
    """What the values of a column are."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    TEXT = "text"
    DATETIME = "datetime"
    NESTED = "nested"


@dataclass(frozen=True, slots=True)
class Buckets:
    """Counts of consecutive buckets of one sign.

    Attributes:
        offset: index of the first; bucket ``i`` holds magnitudes in (base**i, base**(i + 1)].
        counts: how many values are in each.
    """

    offset: int = 0
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """A base-2 exponential histogram of finite numbers.

    Source: OpenTelemetry, metrics data model, ExponentialHistogram. ``base = 2 ** (2 ** -scale)``.

    Attributes:
        scale: how fine the buckets are.
        zeros: how many values are 0.
        positive: counts of values above 0.
        negative: counts of magnitudes of values below 0.
    """

    scale: int
    zeros: int = 0
    positive: Buckets = Buckets()
    negative: Buckets = Buckets()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Finite numbers: values, seconds since 1970 of moments, lengths of texts and of lists.

    Attributes:
        minimum: the smallest; None if there is none.
        maximum: the largest; None if there is none.
        total: their sum; None if no float holds it.
        squares: the sum of their squares; None if no float holds it.
        infinite: how many values are infinite; they are counted here only.
        histogram: of the finite values.
    """

    minimum: float | None
    maximum: float | None
    total: float | None
    squares: float | None
    infinite: int
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Values:
    """Values that are told apart, but not ordered.

    Attributes:
        top: the most frequent with their counts, most frequent first, then by name. If there are
            more than `TOP_VALUES`, those that occur once are left out.
        other: how many values are none of these.
        sketch: the smallest hashes of distinct values, ascending; their number follows from it.
        error: by how much a count in ``top`` may be too small; 0 unless profiles were merged.
    """

    top: tuple[tuple[str, int], ...]
    other: int
    sketch: tuple[int, ...]
    error: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or a whole array or number.

    Attributes:
        name: its name; a second one of that name has ``#2`` behind it.
        kind: what its values are.
        count: how many values there are that are not null.
        nulls: how many are missing or not a number.
        numbers: of a numeric column; of moments; lengths of texts and of nested values.
        values: of a boolean, categorical or text column.
    """

    name: str
    kind: ColumnKind
    count: int
    nulls: int
    numbers: Numbers | None = None
    values: Values | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a variable held in one run, or in several that were merged.

    Attributes:
        rows: how many rows there are.
        looked_at: how many of them the columns tell of: fewer than ``rows`` if it was a sample.
        columns: a summary of each.
        columns_left_out: how many columns there are beside them.
    """

    rows: int
    looked_at: int
    columns: tuple[Column, ...]
    columns_left_out: int = 0
