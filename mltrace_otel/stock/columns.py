"""Values as columns. In: a frame, an array, a list or a number. Out: what stock tests ask of it.

Frames of pandas, polars and pyarrow are read through narwhals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from mltrace_otel.datatests import Finding

Numbers = npt.NDArray[np.float64]
_Array = npt.NDArray[Any]

_MICROSECONDS = 1e6
_NAMES_SHOWN = 10


class Kind(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATETIME = "datetime"
    OTHER = "other"


NUMERIC = frozenset({Kind.INTEGER, Kind.FLOAT})
ORDERED = frozenset(set(Kind) - {Kind.OTHER})


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: its name; empty for the only column of an array or a list.
        kind: what its values are.
        types: what its type is called: by its library, and by narwhals.
        rows: how many values it has, with those that are null.
        count_nulls: counts its nulls; NaN is one.
        read_numbers: returns the values as numbers, NaN for nulls: a datetime as seconds since 1970
            in UTC, a text as its place among the texts. Only for kinds in ``ORDERED``.
    """

    name: str
    kind: Kind
    types: tuple[str, ...]
    rows: int
    count_nulls: Callable[[], int]
    read_numbers: Callable[[], Numbers]

    def read_present(self) -> Numbers:
        """Return the values that are not null as numbers."""
        numbers = self.read_numbers()
        return numbers[~np.isnan(numbers)]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length.

    Attributes:
        rows: how many rows there are.
        columns: the columns by name.
        count_repeats: counts the rows that repeat an earlier one in the columns of those names.
    """

    rows: int
    columns: Mapping[str, Column]
    count_repeats: Callable[[Sequence[str]], int]

    def select(self, names: Sequence[str], kinds: frozenset[Kind] | None = None) -> list[Column]:
        """Return the columns of those names; without names all of those kinds.

        Raises:
            Finding: there is no such column, or a named one is of another kind.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            there = ", ".join(list(self.columns)[:_NAMES_SHOWN]) or "none"
            raise Finding(f"There is no column {' and '.join(missing)}; there are: {there}.")
        found = [self.columns[name] for name in names or self.columns]
        if kinds is None:
            return found
        for column in found:
            if names and column.kind not in kinds:
                wanted = " or ".join(sorted(kinds))
                raise Finding(f"{column.name} is {column.types[0]}; it must be {wanted}.")
        return [column for column in found if column.kind in kinds]


def read_table(value: object) -> Table:
    """Return a value as columns.

    Raises:
        Finding: it is no frame, array, list or number, or is not in memory.
    """
    frame = _read_frame(value)
    if isinstance(frame, nw.DataFrame):
        names = {str(name): name for name in frame.columns}
        return Table(
            len(frame),
            {text: _describe_series(text, frame[name]) for text, name in names.items()},
            lambda asked: (
                len(frame) - len(frame.select([names[text] for text in asked or names]).unique())
            ),
        )
    if frame is not None:
        name = str(frame.name or "")
        column = _describe_series(name, frame)
        return Table(len(frame), {name: column}, lambda _: len(frame) - frame.n_unique())
    return _read_arrays(_split(value))


def _read_frame(value: object) -> "nw.DataFrame[Any] | nw.Series[Any] | None":
    """Return a frame or a series of any library; None if it is neither."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "pyarrow" and kind.__name__ != "ChunkedArray":
        value = _read_arrow(value)
    frame = nw.from_native(value, pass_through=True, allow_series=True)
    if isinstance(frame, nw.LazyFrame):
        raise Finding(f"A {kind.__name__} is not in memory: collect it first.")
    return frame if isinstance(frame, nw.DataFrame | nw.Series) else None


def _read_arrow(value: object) -> object:
    import pyarrow as pa  # noqa: PLC0415 - it is loaded: the value is of it

    if isinstance(value, pa.RecordBatch):
        return pa.Table.from_batches([value])
    return pa.chunked_array([value]) if isinstance(value, pa.Array) else value


def _describe_series(name: str, series: "nw.Series[Any]") -> Column:
    dtype = series.dtype
    kind = _judge_type(dtype)
    native = series.to_native()
    types = (str(getattr(native, "dtype", None) or getattr(native, "type", dtype)), str(dtype))
    if kind is Kind.OTHER and dtype == nw.Object:
        return _describe_array(name, np.asarray(series.to_numpy(), dtype=object), types)

    def count() -> int:
        kept = series.drop_nulls()
        nans = int(kept.is_nan().sum()) if kind is Kind.FLOAT else 0
        return len(series) - len(kept) + nans

    def read() -> Numbers:
        if kind is Kind.TEXT:
            return _place(np.asarray(series.to_numpy(), dtype=object))
        if kind is Kind.DATETIME:
            moments = series.cast(nw.Datetime("us", getattr(dtype, "time_zone", None)))
            stamps = moments.dt.timestamp("us").cast(nw.Float64)
            return np.asarray(stamps.to_numpy(), float) / _MICROSECONDS
        return np.asarray(series.cast(nw.Float64).to_numpy(), float)

    return Column(name, kind, types, len(series), count, read)


def _judge_type(dtype: nw.dtypes.DType) -> Kind:
    if dtype.is_integer():
        return Kind.INTEGER
    if dtype.is_numeric():
        return Kind.FLOAT
    if isinstance(dtype, nw.Datetime | nw.Date):
        return Kind.DATETIME
    if isinstance(dtype, nw.String | nw.Categorical | nw.Enum):
        return Kind.TEXT
    return Kind.BOOLEAN if isinstance(dtype, nw.Boolean) else Kind.OTHER


def _split(value: object) -> dict[str, _Array]:
    """Return the columns of an array, a list or a number by name."""
    if isinstance(value, Mapping | str | bytes | None):
        raise Finding(f"A {type(value).__name__} is no frame, array, list or number.")
    array = np.asarray(value)
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim == 2:  # noqa: PLR2004 - rows and columns
        return {str(index): array[:, index] for index in range(array.shape[1])}
    return {"": array.reshape(-1)}


def _read_arrays(arrays: dict[str, _Array]) -> Table:
    rows = len(next(iter(arrays.values()), ()))

    def count_repeats(asked: Sequence[str]) -> int:
        chosen = [arrays[name].tolist() for name in asked or arrays]
        return rows - len(set(zip(*chosen, strict=True)))

    columns = {name: _describe_array(name, array) for name, array in arrays.items()}
    return Table(rows, columns, count_repeats)


_KINDS = {"b": Kind.BOOLEAN, "i": Kind.INTEGER, "u": Kind.INTEGER, "f": Kind.FLOAT}
_KINDS |= {"M": Kind.DATETIME, "U": Kind.TEXT, "S": Kind.TEXT}


def _describe_array(name: str, array: _Array, types: tuple[str, ...] = ()) -> Column:
    nulls = _find_nulls(array)
    typed = _give_type(array[~nulls]) if array.dtype.kind == "O" else array[~nulls]
    kind = _KINDS.get(typed.dtype.kind, Kind.OTHER)

    def read() -> Numbers:
        numbers = np.full(len(array), np.nan)
        if kind is Kind.DATETIME:
            numbers[~nulls] = typed.astype("datetime64[us]").astype(np.int64) / _MICROSECONDS
        else:
            numbers[~nulls] = _place(typed) if kind is Kind.TEXT else typed.astype(np.float64)
        return numbers

    count = int(nulls.sum())
    return Column(name, kind, types or (str(array.dtype),), len(array), lambda: count, read)


def _place(texts: _Array) -> Numbers:
    """Return the place of each text among all, in alphabetical order; NaN for nulls."""
    nulls = _find_nulls(texts)
    places = np.full(len(texts), np.nan)
    places[~nulls] = np.unique(texts[~nulls].astype(str), return_inverse=True)[1]
    return places


def _find_nulls(array: _Array) -> npt.NDArray[np.bool_]:
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind in "mM":
        return np.isnat(array)
    if array.dtype.kind == "O":
        return np.array([each is None or _is_unequal(each) for each in array], dtype=bool)
    return np.zeros(len(array), dtype=bool)


def _is_unequal(value: object) -> bool:
    """Tell whether a value differs from itself, as NaN and NaT do."""
    try:
        return bool(value != value)  # noqa: PLR0124
    except (TypeError, ValueError):  # pandas.NA, or an array within an array
        return type(value).__name__ == "NAType"


def _give_type(values: _Array) -> _Array:
    """Return objects as an array of their common type, if it is one that can be measured."""
    kinds = {type(each) for each in values}
    if kinds and all(issubclass(kind, date) for kind in kinds):
        return np.array([_to_utc(each) for each in values], dtype="datetime64[us]")
    is_plain = kinds in ({bool}, {str}) or (
        bool not in kinds and all(issubclass(kind, int | float | np.number) for kind in kinds)
    )
    return np.array(values.tolist()) if kinds and is_plain else values


def _to_utc(moment: Any) -> datetime:  # noqa: ANN401 - a date or a datetime
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001 - NumPy takes naive ones
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
