"""Tables, series and indexes of pandas. In: any of them. Out: a table."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from mltrace_otel.profiles.shapes import COLUMN_LIMIT, Column
from mltrace_otel.profiling.arrays import add_nulls, make_source, read_array, take_rows
from mltrace_otel.profiling.arrow import open_column
from mltrace_otel.profiling.tables import DISTINCT_WEIGHT, LEAST_WEIGHT, Rows, Source, Table
from mltrace_otel.profiling.values import make_categorical, read_objects


def open_table(variable: str, value: Any) -> Table:  # noqa: ANN401 - a frame, series or index
    """Return a frame's columns as a table; a series or index is one of one column."""
    pandas: Any = sys.modules["pandas"]
    if isinstance(value, pandas.DataFrame):
        columns = islice(value.items(), COLUMN_LIMIT)
        sources = [_make_source(_name(label), column) for label, column in columns]
        return Table(len(value), sources, value.shape[1] - len(sources))
    name = variable if value.name is None else _name(value.name)
    return Table(len(value), [_make_source(name, value)])


def _name(label: object) -> str:
    """Return a column's label as its name; levels are joined by dots."""
    if isinstance(label, tuple):
        return ".".join(map(_name, label))
    return label if isinstance(label, str) else str(label)


def _make_source(name: str, column: Any) -> Source:  # noqa: ANN401 - a series or index
    dtype = column.dtype
    if isinstance(dtype, sys.modules["numpy"].dtype):
        return make_source(name, column.to_numpy())
    if type(dtype).__name__ in _OF_ARROW:
        if getattr(dtype, "storage", "pyarrow") == "python":
            return make_source(name, column.to_numpy(dtype=object))
        return open_column(name, column.array.__arrow_array__())
    is_masked = hasattr(dtype, "numpy_dtype")
    others = (1, _read_masked) if is_masked else (DISTINCT_WEIGHT, _read_others)
    weight, read = _KINDS.get(type(dtype).__name__, others)
    return Source(name, weight, partial(_read_rows, read, column.array))


def _read_rows(
    read: Callable[[str, Any], Column],
    array: Any,  # noqa: ANN401 - an array of pandas
    name: str,
    rows: Rows,
) -> Column:
    if rows is not None:
        numpy = sys.modules["numpy"]
        array = array.take(take_rows(numpy.arange(len(array)), rows))
    return read(name, array)


def _read_categories(name: str, array: Any) -> Column:  # noqa: ANN401
    numpy = sys.modules["numpy"]
    counts = numpy.bincount(array.codes.astype("int64") + 1, minlength=len(array.categories) + 1)
    nulls, *known = counts.tolist()
    labels = map(_name, array.categories)
    return make_categorical(
        name, {label: count for label, count in zip(labels, known, strict=True) if count}, nulls
    )


def _read_times(name: str, array: Any) -> Column:  # noqa: ANN401
    return read_array(name, array.asi8.view(f"M8[{array.unit}]"))


def _read_periods(name: str, array: Any) -> Column:  # noqa: ANN401
    return _read_times(name, array.to_timestamp())


def _read_masked(name: str, array: Any) -> Column:  # noqa: ANN401
    is_null = array.isna()
    known = array[~is_null].to_numpy(dtype=array.dtype.numpy_dtype)
    return add_nulls(read_array(name, known), len(array) - len(known))


def _read_sparse(name: str, array: Any) -> Column:  # noqa: ANN401
    return read_array(name, array.to_dense())


def _read_intervals(name: str, array: Any) -> Column:  # noqa: ANN401
    is_null = array.isna()
    return make_categorical(name, Counter(map(str, array[~is_null])), int(is_null.sum()))


def _read_others(name: str, array: Any) -> Column:  # noqa: ANN401
    return read_objects(name, list(array))


_OF_ARROW = frozenset({"StringDtype", "ArrowDtype"})
_KINDS: dict[str, tuple[int, Callable[[str, Any], Column]]] = {
    "CategoricalDtype": (1, _read_categories),
    "DatetimeTZDtype": (1, _read_times),
    "PeriodDtype": (LEAST_WEIGHT, _read_periods),
    "IntervalDtype": (DISTINCT_WEIGHT, _read_intervals),
    "SparseDtype": (1, _read_sparse),
}
