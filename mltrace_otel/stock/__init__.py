"""Tests that most pipelines need, to be given to a component with the name of a variable.

``Component("clean", afterTests=[NoNulls("orders"), RowCount("orders")])``. They take frames of
pandas, polars and pyarrow, NumPy arrays, lists of numbers and single numbers.
"""

from importlib.util import find_spec

_NEEDED = ("narwhals", "numpy")
_MISSING = [name for name in _NEEDED if find_spec(name) is None]
if _MISSING:
    raise ModuleNotFoundError(
        f"mltrace_otel.stock needs packages that are not installed ({', '.join(_MISSING)}): "
        "pip install 'mltrace-otel[stock]'",
        name=_MISSING[0],
    )

from mltrace_otel.stock.content import (  # noqa: E402 - what is missing is told first
    Fresh,
    InRange,
    NoNulls,
    NoOutliers,
    Schema,
    Unique,
)
from mltrace_otel.stock.leakage import NoLeakage  # noqa: E402
from mltrace_otel.stock.memory import NoDrift, NoSkew, RowCount  # noqa: E402
from mltrace_otel.stock.schemas import PanderaSchema  # noqa: E402

__all__ = [
    "Fresh",
    "InRange",
    "NoDrift",
    "NoLeakage",
    "NoNulls",
    "NoOutliers",
    "NoSkew",
    "PanderaSchema",
    "RowCount",
    "Schema",
    "Unique",
]
