"""Profiles of values. In: tables, arrays and numbers. Out: `profiles.shapes`, of bounded size.

Libraries are looked up among the program's loaded modules and never imported for their own sake.
What is here is light; the rest of the room is loaded with the first value that has a profile.
"""

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltrace_otel.profiles.shapes import Profile

_READERS = {
    ("numpy", "ndarray"): "arrays",
    ("torch", "Tensor"): "arrays",
    ("pandas", "DataFrame"): "frames",
    ("pandas", "Series"): "frames",
    ("pandas", "Index"): "frames",
    ("polars", "DataFrame"): "arrow",
    ("polars", "Series"): "arrow",
    ("pyarrow", "Table"): "arrow",
    ("pyarrow", "RecordBatch"): "arrow",
    ("pyarrow", "Array"): "arrow",
    ("pyarrow", "ChunkedArray"): "arrow",
}
_NUMBERS_LIMIT = 1_000_000


def make_profile(variable: str, value: object) -> "Profile | None":
    """Return the distribution of a table, array or list of numbers; None of anything else.

    Args:
        variable: its name, which is the column's where there is but one.
        value: the value. Nothing of it is changed.
    """
    reader = _find_reader(type(value))  # type: ignore[arg-type] # classes are hashable
    if reader is None and not _is_list_of_numbers(value):
        return None
    room = import_module(f"{__name__}.{reader or 'lists'}")
    tables: Any = import_module(f"{__name__}.tables")
    table = room.open_table(variable, value)
    profile: Profile | None = None if table is None else tables.summarise_table(table)
    return profile


def read_number(value: object) -> float | None:
    """Return a single number as one; None of anything else. Truth counts as 0 or 1."""
    numpy = sys.modules.get("numpy")
    of_numpy = () if numpy is None else (numpy.integer, numpy.floating, numpy.bool_)
    if not isinstance(value, (int, float, *of_numpy)):
        return None
    try:
        return float(value)  # type: ignore[arg-type] # all of the kinds are numbers
    except OverflowError:  # an integer that no float holds
        return None


@cache
def _find_reader(kind: type) -> str | None:
    for base in kind.__mro__:
        reader = _READERS.get((base.__module__.partition(".")[0], base.__name__))
        if reader:
            return reader
    return None


def _is_list_of_numbers(value: object) -> bool:
    return (
        type(value) in {list, tuple}
        and isinstance(value, list | tuple)
        and 0 < len(value) <= _NUMBERS_LIMIT
        and {int, float}.issuperset(map(type, value))
    )
