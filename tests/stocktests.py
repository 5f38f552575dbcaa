"""Runs one stock test on values, and the values in frames of every library."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from mltrace_otel.datatests import Test, read_suite, run_suite

Columns = Mapping[str, Sequence[object]]
Frame = Callable[[Columns], Any]

FRAMES: dict[str, Frame] = {
    "pandas": pd.DataFrame,
    "pandas-nullable": lambda columns: pd.DataFrame(columns).convert_dtypes(),
    "polars": lambda columns: pl.DataFrame(columns, strict=False),
    "pyarrow": lambda columns: pa.table({name: pa.array(each) for name, each in columns.items()}),
    "numpy": lambda columns: np.rec.fromarrays(  # type: ignore[call-overload] # as documented
        [np.array(each) for each in columns.values()], names=list(columns)
    ),
}


def judge(test: Test, history: object = None, **values: object) -> dict[str, str]:
    """Return the status of each of a test's methods, with its message if it has one."""
    outcomes = run_suite(read_suite(test, {}), values, "after", history)
    return {
        each.case: f"{each.status}: {each.message}" if each.message else each.status
        for each in outcomes
    }
