"""Tables and columns of pyarrow and polars. In: any of them. Out: a table.

What polars holds is read as arrow's, which it gives away without a copy; without pyarrow, as
Python's objects.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from mltrace_otel.profiles.shapes import Column, ColumnKind
from mltrace_otel.profiling.arrays import add_nulls, read_array
from mltrace_otel.profiling.tables import (
    DISTINCT_WEIGHT,
    LEAST_WEIGHT,
    Rows,
    Source,
    Table,
    weigh_values,
)
from mltrace_otel.profiling.values import (
    make_boolean,
    make_categorical,
    make_numeric,
    make_text,
    read_objects,
)


def open_table(variable: str, value: Any) -> Table:  # noqa: ANN401 - a frame, table or column
    """Return a frame's columns as a table; a series or array is one of one column."""
    if type(value).__module__.partition(".")[0] == "polars":
        columns = value.get_columns() if hasattr(value, "get_columns") else [value]
        names = [column.name or variable for column in columns]
        return Table(len(value), list(map(_open_series, names, columns)))
    if hasattr(value, "schema"):
        return Table(value.num_rows, list(map(open_column, value.schema.names, value.columns)))
    return Table(len(value), [open_column(variable, value)])


def _open_series(name: str, series: Any) -> Source:  # noqa: ANN401 - a series
    if "Object" not in str(series.dtype):
        try:
            return open_column(name, series.to_arrow())
        except ImportError:  # there is no pyarrow
            pass
    return Source(name, DISTINCT_WEIGHT, partial(_read_series, series))


def _read_series(series: Any, name: str, rows: Rows) -> Column:  # noqa: ANN401 - a series
    parts = [slice(None)] if rows is None else rows
    return read_objects(name, list(chain.from_iterable(series[part].to_list() for part in parts)))


def open_column(name: str, column: Any) -> Source:  # noqa: ANN401 - an array or chunked array
    """Return an arrow column as one that can be read."""
    types = sys.modules["pyarrow"].types
    is_light = types.is_primitive(column.type) or types.is_dictionary(column.type)
    weight = 1 if is_light else _weigh_column(column)
    return Source(name, weight, partial(_read_rows, column))


def _weigh_column(column: Any) -> int:  # noqa: ANN401 - an array or chunked array
    if sys.modules["pyarrow"].types.is_nested(column.type):
        return LEAST_WEIGHT
    return weigh_values(
        len(column), lambda rows: len(column.slice(rows.start, rows.stop - rows.start).unique())
    )


def _read_rows(column: Any, name: str, rows: Rows) -> Column:  # noqa: ANN401
    return read_column(name, column if rows is None else _take(column, rows))


def _take(column: Any, rows: Sequence[slice]) -> Any:  # noqa: ANN401
    parts = [column.slice(each.start, each.stop - each.start) for each in rows]
    chunks = chain.from_iterable(getattr(part, "chunks", [part]) for part in parts)
    return sys.modules["pyarrow"].chunked_array(list(chunks), type=column.type)


def read_column(name: str, column: Any) -> Column:  # noqa: ANN401 - an array or chunked array
    """Return the summary of an arrow column.

    Raises:
        TypeError: its values are of no kind that has a distribution.
    """
    types = sys.modules["pyarrow"].types
    column = _unpack(column)
    for is_kind, read in _KINDS:
        if any(getattr(types, test)(column.type) for test in is_kind):
            return read(name, column)
    return Column(name, ColumnKind.NESTED, len(column) - column.null_count, column.null_count)


def _unpack(column: Any) -> Any:  # noqa: ANN401
    """Return a column's values without what only wraps them."""
    pyarrow: Any = sys.modules["pyarrow"]
    kind = column.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _unpack(column.cast(kind.storage_type))
    if type(kind).__name__ == "RunEndEncodedType":
        return _unpack(_load_compute().run_end_decode(column))
    return column


def _read_booleans(name: str, column: Any) -> Column:  # noqa: ANN401
    known = len(column) - column.null_count
    true = _load_compute().sum(column).as_py() or 0
    return make_boolean(name, true, known - true, column.null_count)


def _read_numbers(name: str, column: Any) -> Column:  # noqa: ANN401
    pyarrow: Any = sys.modules["pyarrow"]
    if not pyarrow.types.is_floating(column.type):
        # Of integers beyond 2 ** 53 the nearest float is near enough.
        column = column.cast("float64", safe=False)
    return add_nulls(read_array(name, _to_numpy(column)), column.null_count)


def _to_numpy(column: Any) -> Any:  # noqa: ANN401 - an array of numpy
    known = column.drop_null() if column.null_count else column
    chunked = {} if hasattr(known, "chunks") else {"zero_copy_only": False}
    return known.to_numpy(**chunked)


def _read_times(name: str, column: Any) -> Column:  # noqa: ANN401
    return add_nulls(read_array(name, _to_numpy(column)), column.null_count)


def _read_clock(name: str, column: Any) -> Column:  # noqa: ANN401 - times of the day
    pyarrow: Any = sys.modules["pyarrow"]
    width = f"int{column.type.bit_width}"
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
    seconds = _load_compute().divide(column.cast(width).cast(pyarrow.float64()), per_second)
    return _read_numbers(name, seconds)


def _read_texts(name: str, column: Any) -> Column:  # noqa: ANN401
    return make_text(name, _count_values(column, str), column.null_count)


def _read_bytes(name: str, column: Any) -> Column:  # noqa: ANN401
    return make_categorical(name, _count_values(column, str), column.null_count)


def _read_categories(name: str, column: Any) -> Column:  # noqa: ANN401
    values = column.cast(column.type.value_type)
    counts = _count_values(values, str)
    return make_categorical(name, counts, values.null_count)


def _count_values(column: Any, describe: Callable[[Any], str]) -> dict[str, int]:  # noqa: ANN401
    counted = column.value_counts()
    values, counts = counted.field(0).to_pylist(), counted.field(1).to_pylist()
    pairs = zip(values, counts, strict=True)
    return {describe(value): count for value, count in pairs if value is not None}


def _read_lists(name: str, column: Any) -> Column:  # noqa: ANN401
    lengths = _load_compute().list_value_length(column)
    found = _read_numbers(name, lengths)
    return make_numeric(name, found.numbers, found.count, found.nulls, ColumnKind.NESTED)  # type: ignore[arg-type] # numbers have numbers


def _load_compute() -> Any:  # noqa: ANN401 - a module
    return importlib.import_module("pyarrow.compute")


_KINDS: tuple[tuple[tuple[str, ...], Callable[[str, Any], Column]], ...] = (
    (("is_boolean",), _read_booleans),
    (("is_integer", "is_floating", "is_decimal", "is_null"), _read_numbers),
    (("is_timestamp", "is_date", "is_duration"), _read_times),
    (("is_time",), _read_clock),
    (("is_string", "is_large_string", "is_string_view"), _read_texts),
    (
        ("is_binary", "is_large_binary", "is_binary_view", "is_fixed_size_binary"),
        _read_bytes,
    ),
    (("is_dictionary",), _read_categories),
    (("is_list", "is_large_list", "is_fixed_size_list", "is_list_view"), _read_lists),
)
