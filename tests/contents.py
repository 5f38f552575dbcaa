"""What contents are, told in another way than digests do: by what Python prints of each part."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from mltrace_otel.digest import digest


def text_of(value: object) -> str:
    """Return the text of a value's digest, which it must have."""
    found = digest(value)
    assert found is not None, f"no digest of {value!r}"
    return found.text


def show(value: Any) -> Any:
    """Return what a Python value is: equal for equal content, and only for that."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, frozenset((show(key), show(each)) for key, each in value.items())
    if isinstance(value, set | frozenset):
        return kind, frozenset(map(show, value))
    if isinstance(value, list | tuple):
        return kind, tuple(map(show, value))
    return kind, repr(value)


def show_cells(cells: Iterable[Any]) -> list[tuple[str, str]]:
    """Return what the cells of a column are; floats that are no numbers all print alike."""
    return [(type(cell).__name__, repr(cell)) for cell in cells]


def show_column(column: "pd.Series[Any] | pd.Index[Any]") -> Any:
    """Return what the dtype and the cells of a column of pandas are."""
    if isinstance(column, pd.MultiIndex):
        return [show_column(column.get_level_values(level)) for level in range(column.nlevels)]
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category", dtype.ordered, show_column(dtype.categories), show_cells(column)
    missing = repr(getattr(dtype, "na_value", None))
    return str(dtype), missing, show_cells(column)


def show_frame(frame: pd.DataFrame) -> Any:
    """Return what a frame of pandas is."""
    return (
        show_cells(frame.columns),
        show_cells(frame.columns.names),
        show_cells(frame.index.names),
        show_column(frame.index),
        [show_column(frame.iloc[:, place]) for place in range(frame.shape[1])],
    )
