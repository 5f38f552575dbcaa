"""Lists of Python's numbers. In: a list or tuple. Out: a table of one column."""

import sys
from collections.abc import Sequence

from mltrace_otel.profiles.shapes import Column
from mltrace_otel.profiling.tables import Rows, Source, Table
from mltrace_otel.profiling.values import read_objects

_FEW = 64


def open_table(variable: str, numbers: Sequence[float]) -> Table:
    """Return a list of numbers as a table."""

    def read(name: str, _: Rows) -> Column:
        numpy = sys.modules.get("numpy")
        if numpy is None or len(numbers) < _FEW:
            return read_objects(name, numbers)
        from mltrace_otel.profiling.arrays import read_array  # noqa: PLC0415 - needs numpy

        return read_array(name, numpy.array(numbers, dtype="float64"))

    return Table(len(numbers), [Source(variable, 1, read)])
