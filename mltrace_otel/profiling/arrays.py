"""Arrays of numpy and tensors of torch. In: an array. Out: a table.

An array of one dimension is one column, a matrix of up to `COLUMN_LIMIT` columns is these by their
numbers, a record's fields are columns. Every other array is one column of all that it holds; if its
rows are huge, the rows of its next dimension count as rows.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mltrace_otel.profiles.shapes import COLUMN_LIMIT, Column, ColumnKind
from mltrace_otel.profiling.numbers import summarise_array
from mltrace_otel.profiling.tables import Rows, Source, Table, weigh_values
from mltrace_otel.profiling.values import make_boolean, make_numeric, read_objects

if TYPE_CHECKING:
    import numpy as np

_NOT_A_TIME = -(1 << 63)
_MATRIX = 2
_ROW_LIMIT = 10_000
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_LIGHT = frozenset("biufmM")


def open_table(variable: str, value: Any) -> Table | None:  # noqa: ANN401 - an array or a tensor
    """Return an array as a table; None if it is of no kind that has a distribution."""
    if hasattr(value, "detach"):  # a tensor
        if value.device.type != "cpu" or value.is_sparse:
            return None
        value = value.detach().float() if "bfloat16" in str(value.dtype) else value.detach()
        value = value.resolve_conj().resolve_neg().numpy()
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.ma.MaskedArray):
        flat = value.reshape(-1)
        return Table(len(flat), [Source(variable, 1, partial(_read_masked, flat))])
    array = value.view(numpy.ndarray)
    names = array.dtype.names
    if names:
        flat = array.reshape(-1)
        return Table(len(flat), [make_source(name, flat[name]) for name in names])
    if array.ndim == _MATRIX and 0 < array.shape[1] <= COLUMN_LIMIT:
        sources = [make_source(str(place), array[:, place]) for place in range(array.shape[1])]
        return Table(len(array), sources)
    if array.ndim <= 1:
        flat = array.reshape(-1)
        return Table(len(flat), [make_source(variable, flat)])
    array = _shorten_rows(array)
    return Table(len(array), [make_source(variable, array, array.size // max(len(array), 1))])


def _shorten_rows(array: "np.ndarray") -> "np.ndarray":
    """Return an array of so small rows that some can be left out; in which order does not count."""
    if array.size <= _ROW_LIMIT * len(array):
        return array
    array = array.T if array.flags.f_contiguous else array
    while array.flags.c_contiguous and array.ndim > 1 and array.size > _ROW_LIMIT * len(array):
        array = array.reshape(-1, *array.shape[2:])
    return array


def make_source(name: str, array: "np.ndarray", values_a_row: int = 1) -> Source:
    """Return an array as a column that can be read by the rows of its first dimension."""
    weight = 1 if array.dtype.kind in _LIGHT else _weigh_objects(array)
    return Source(name, weight * values_a_row, partial(_read_rows, array))


def _weigh_objects(array: "np.ndarray") -> int:
    def count_distinct(rows: slice) -> int:
        values = array[rows].reshape(-1).tolist()
        texts = [value for value in values if type(value) is str]
        return len(set(texts)) + len(values) - len(texts)  # other objects may refuse to be compared

    return weigh_values(len(array), count_distinct)


def _read_rows(array: "np.ndarray", name: str, rows: Rows) -> Column:
    return read_array(name, take_rows(array, rows).reshape(-1))


def take_rows(array: Any, rows: Rows) -> Any:  # noqa: ANN401 - an array of numpy, of any dtype
    """Return these rows of an array."""
    if rows is None:
        return array
    return sys.modules["numpy"].concatenate([array[each] for each in rows])


def _read_masked(array: Any, name: str, rows: Rows) -> Column:  # noqa: ANN401 - a masked array
    numpy = sys.modules["numpy"]
    mask = take_rows(numpy.ma.getmaskarray(array), rows)
    seen = take_rows(array.data, rows)[~mask]
    return add_nulls(read_array(name, seen), int(numpy.count_nonzero(mask)))


def add_nulls(column: Column, nulls: int) -> Column:
    """Return a column with more missing values."""
    return Column(
        column.name,
        column.kind,
        column.count,
        column.nulls + nulls,
        column.numbers,
        column.values,
    )


def read_array(name: str, array: "np.ndarray") -> Column:
    """Return the summary of an array of one dimension.

    Raises:
        TypeError: its values are of no kind that has a distribution, e.g. complex numbers.
    """
    read = _KINDS.get(array.dtype.kind)
    if read is None:
        raise TypeError(f"{array.dtype} has no distribution")
    return read(name, array)


def _read_numbers(name: str, array: "np.ndarray") -> Column:
    nans, numbers = summarise_array(array)
    return make_numeric(name, numbers, len(array) - nans, nans)


def _read_booleans(name: str, array: "np.ndarray") -> Column:
    true = int(sys.modules["numpy"].count_nonzero(array))
    return make_boolean(name, true, len(array) - true, 0)


def _read_times(name: str, array: "np.ndarray") -> Column:
    """Moments are seconds since 1970, durations are seconds."""
    numpy = sys.modules["numpy"]
    unit, step = numpy.datetime_data(array.dtype)
    if unit not in _PER_SECOND:
        array = array.astype(f"{array.dtype.kind}8[s]")
        unit, step = "s", 1
    ticks = array.view("int64")
    known = ticks[ticks != _NOT_A_TIME]
    _, numbers = summarise_array(known / (_PER_SECOND[unit] / step))
    kind = ColumnKind.DATETIME if array.dtype.kind == "M" else ColumnKind.NUMERIC
    return make_numeric(name, numbers, len(known), len(array) - len(known), kind)


def _read_objects(name: str, array: "np.ndarray") -> Column:
    return read_objects(name, array.tolist())


_KINDS: dict[str, Callable[[str, Any], Column]] = {
    **dict.fromkeys("iuf", _read_numbers),
    "b": _read_booleans,
    **dict.fromkeys("mM", _read_times),
    **dict.fromkeys("OSU", _read_objects),
}
