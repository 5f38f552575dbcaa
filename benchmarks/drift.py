"""How often drift is called drift, beside the two rules that most tools use, on the same data.

Runs of 20 columns of eight kinds are drawn, with and without drift, at several numbers of rows, and
each is judged against one earlier run of as many rows by three rules: ours, on profiles;
Kolmogorov-Smirnov with p < 0.05 for each column, on the raw values (scipy); and a population
stability index above 0.2 over the tenths of the earlier values. What is drift is known: in half of
the runs nothing changed, or everything by a little (a fiftieth of the standard deviation); in the
other half three columns changed in a way that matters: shifted by a standard deviation, spread
twice as wide, in another unit, with a fifth replaced by a constant, or of categories with other
shares.

In: a seed. Out: one JSON object a line for each number of rows and rule: ``precision`` of columns
that were called drifted, ``recall`` of those that had, and ``alarms``, the share of runs without
drift in which at least one column was called drifted. The last line says how long a verdict takes
on 20 columns, against one earlier run and against ten.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from time import perf_counter

import numpy as np
import numpy.typing as npt
from scipy import stats

from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.histograms import fit_scale
from mltrace_otel.profiles.shapes import (
    FINEST_SCALE,
    Buckets,
    Column,
    ColumnKind,
    Histogram,
    Numbers,
    Profile,
    Values,
)

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]

SIZES = (50, 200, 1_000, 10_000, 100_000)
RUNS = {50: 200, 200: 200, 1_000: 100, 10_000: 40, 100_000: 10}
COLUMNS = 20
DRIFTED = 3
P_LIMIT = 0.05
PSI_LIMIT = 0.2
CATEGORIES = 12


def _weigh(power: float) -> Array:
    """Return the shares of categories, the more alike the lower the power."""
    weights = 1 / np.arange(1, CATEGORIES + 1) ** power
    return np.asarray(weights / weights.sum(), float)


DRAWS: dict[str, Draw] = {
    "normal": lambda rng, rows: rng.normal(50, 10, rows),
    "centred": lambda rng, rows: rng.normal(0, 1, rows),
    "lognormal": lambda rng, rows: rng.lognormal(0, 0.5, rows),
    "half zeros": lambda rng, rows: np.where(rng.random(rows) < 0.5, 0, rng.exponential(10, rows)),
    "counts": lambda rng, rows: rng.poisson(6, rows).astype(float),
    "two humps": lambda rng, rows: rng.normal(np.where(rng.random(rows) < 0.3, 3, 8), 1),
    "heavy tails": lambda rng, rows: 100 + 5 * rng.standard_t(3, rows),
    "categories": lambda rng, rows: rng.choice(CATEGORIES, rows, p=_weigh(1.0)).astype(float),
}
DEVIATIONS = {
    name: float(draw(np.random.default_rng(0), 100_000).std()) for name, draw in DRAWS.items()
}


def main() -> None:
    """Draw, judge, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    rng = np.random.default_rng(parser.parse_args().seed)
    for rows in SIZES:
        for name, counts in measure(rng, rows).items():
            print(json.dumps({"rows": rows, "rule": name, **summarise(counts)}), flush=True)
    print(json.dumps(time_verdicts(rng)))


def measure(rng: np.random.Generator, rows: int) -> dict[str, Counter[str]]:
    """Return how often each rule was right and wrong."""
    found: dict[str, Counter[str]] = {"ours": Counter(), "KS": Counter(), "PSI": Counter()}
    for number in range(RUNS[rows]):
        kinds = list(rng.choice(list(DRAWS), COLUMNS))
        before = [DRAWS[kind](rng, rows) for kind in kinds]
        drifts = frozenset(rng.choice(COLUMNS, DRIFTED, replace=False)) if number % 2 else set()
        now = [
            drift(rng, kind, rows) if place in drifts else stay(rng, kind, rows, number)
            for place, kind in enumerate(kinds)
        ]
        for name, called in call(kinds, now, before).items():
            counts = found[name]
            counts["hits"] += len(called & drifts)
            counts["false"] += len(called - drifts)
            counts["drifts"] += len(drifts)
            counts["quiet runs"] += not drifts
            counts["alarms"] += bool(called) and not drifts
    return found


def call(kinds: list[str], now: list[Array], before: list[Array]) -> dict[str, set[int]]:
    """Return the columns that each rule calls drifted."""
    verdict = judge_profile(profile(kinds, now), [profile(kinds, before)])
    pairs = list(zip(now, before, strict=True))
    return {
        "ours": {place for place, each in enumerate(verdict.columns) if each.drifted},
        "KS": {place for place, pair in enumerate(pairs) if stats.ks_2samp(*pair).pvalue < P_LIMIT},
        "PSI": {place for place, pair in enumerate(pairs) if find_psi(*pair) > PSI_LIMIT},
    }


def stay(rng: np.random.Generator, kind: str, rows: int, number: int) -> Array:
    """Return values as before, or, in every other pair of runs, different by next to nothing."""
    values = DRAWS[kind](rng, rows)
    if number % 4 < 2 or kind == "categories":
        return values
    return values * 1.02 if kind == "half zeros" else values + 0.02 * DEVIATIONS[kind]


def drift(rng: np.random.Generator, kind: str, rows: int) -> Array:
    """Return values that changed in a way that matters."""
    values = DRAWS[kind](rng, rows)
    if kind == "categories":
        return rng.choice(CATEGORIES, rows, p=_weigh(2.0)).astype(float)
    how = rng.integers(4)
    if how == 0:
        return values + DEVIATIONS[kind] * float(rng.choice([-1, 1]))
    if how == 1:
        return np.asarray(values.mean() + 2 * (values - values.mean()))
    if how == 2:
        return values * 60
    return np.where(rng.random(rows) < 0.2, values.max(), values)


def find_psi(now: Array, before: Array) -> float:
    """Return the population stability index as it is usually computed."""
    edges = np.unique(np.quantile(before, np.linspace(0, 1, 11)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, each, "right"), minlength=len(edges) + 1) / len(each)
        for each in (now, before)
    ]
    p, q = (np.maximum(share, 1e-4) for share in shares)
    return float(np.sum((p - q) * np.log(p / q)))


def profile(kinds: list[str], columns: list[Array]) -> Profile:
    """Return the profile of some columns."""
    described = tuple(
        describe(f"{place} {kind}", kind, values)
        for place, (kind, values) in enumerate(zip(kinds, columns, strict=True))
    )
    return Profile(len(columns[0]), len(columns[0]), described)


def describe(name: str, kind: str, values: Array) -> Column:
    """Return the summary of one column."""
    if kind == "categories":
        counted = Counter(values.tolist())
        top = tuple((str(value), count) for value, count in counted.most_common())
        return Column(name, ColumnKind.CATEGORICAL, len(values), 0, values=Values(top, 0, ()))
    numbers = Numbers(
        float(values.min()),
        float(values.max()),
        float(values.sum()),
        float(np.square(values).sum()),
        0,
        count_buckets(values),
    )
    return Column(name, ColumnKind.NUMERIC, len(values), 0, numbers)


def count_buckets(values: Array) -> Histogram:
    """Return the histogram of numbers."""
    sides = [
        (np.ceil(np.ldexp(np.log2(side), FINEST_SCALE)) - 1).astype(np.int64)
        for side in (values[values > 0], -values[values < 0])
    ]
    scale = fit_scale(*([int(side.min()), int(side.max())] if len(side) else [] for side in sides))
    positive, negative = (tally(side >> (FINEST_SCALE - scale)) for side in sides)
    return Histogram(scale, int((values == 0).sum()), positive, negative)


def tally(indices: npt.NDArray[np.int64]) -> Buckets:
    """Return the counts of indices."""
    if not len(indices):
        return Buckets()
    first = int(indices.min())
    return Buckets(first, tuple(np.bincount(indices - first).tolist()))


def summarise(counts: Counter[str]) -> dict[str, float]:
    """Return what people compare rules by."""
    called = counts["hits"] + counts["false"]
    return {
        "precision": round(counts["hits"] / called, 3) if called else 1.0,
        "recall": round(counts["hits"] / counts["drifts"], 3),
        "alarms": round(counts["alarms"] / counts["quiet runs"], 3),
    }


def time_verdicts(rng: np.random.Generator) -> dict[str, object]:
    """Return how long verdicts take, in milliseconds: the best of five."""
    kinds = [list(DRAWS)[place % len(DRAWS)] for place in range(COLUMNS)]
    runs = [profile(kinds, [DRAWS[kind](rng, 1_000) for kind in kinds]) for _ in range(11)]
    return {
        f"verdict against {count}, ms": round(1_000 * min(_time(runs, count) for _ in range(5)), 1)
        for count in (1, 10)
    }


def _time(runs: list[Profile], count: int) -> float:
    begun = perf_counter()
    judge_profile(runs[0], runs[1 : 1 + count])
    return perf_counter() - begun


if __name__ == "__main__":
    main()
