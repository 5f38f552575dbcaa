"""How fast contents are digested, beside a bare xxh3 of as many bytes, and beside a peer.

The bare hash reads one contiguous buffer of the size that the digest gives. The peer is what a
program would use otherwise: pandas.util.hash_pandas_object for tables (8 bytes a row, the rows'
hashes are not joined), joblib.hash for everything else. Files are in the page cache.

Rounds of the three alternate in one process; the figures are the best of the rounds, in GB/s (10^9
bytes); ``ratio`` is ours to the bare hash, ``times_peer`` ours to the peer's. ``MB`` is the size of
the content. The last lines say what a name in a list of 10,000 costs, in microseconds. Prints one
JSON line each. Run where nothing else runs.
"""

import json
import tempfile
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse as sp
import xxhash

from mltrace_otel.digest import Digest, digest, digest_file
from mltrace_otel.pointers import read_inputs

ROUNDS = 5
PEER_ROUNDS = 2
NUMBERS = 8_000_000
TEXTS = 1_000_000
NAMES = 10_000
RNG = np.random.default_rng(1)


def main() -> None:
    """Measure."""
    for name, value in make_values().items():
        print(json.dumps({"content": name} | compare(partial(digest, value), value)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file")
        file.write_bytes(RNG.bytes(1 << 28))
        print(json.dumps({"content": "file"} | compare(partial(digest_file, file), None)))
        print(json.dumps({"content": "file, sampled"} | time_sampled(file)))
    ids = [str(uuid.uuid4()) for _ in range(NAMES)]
    for name, names in {"id": ids, "URL": [f"s3://bucket/{each}" for each in ids]}.items():
        took_s = find_best(partial(read_inputs, "c", "v", names))
        print(
            json.dumps({"content": f"name in a list: {name}", "us": round(took_s / NAMES * 1e6, 1)})
        )


def make_values() -> dict[str, Any]:
    """Return values of each kind."""
    numbers = RNG.random(NUMBERS)
    texts = [f"customer-{number}" for number in range(TEXTS)]
    rows = numbers.reshape(-1, 10)
    holes = np.where(RNG.random(NUMBERS) < 0.1, np.nan, numbers)
    return {
        "numpy float64": numbers,
        "numpy float64, 10% NaN": holes,
        "numpy int64": numbers.view("i8"),
        "numpy float32": numbers.astype("f4"),
        "numpy float64, transposed": rows.T,
        "numpy float64, every second": np.repeat(numbers, 2)[::2],
        "pandas 10 float64, by columns": pd.DataFrame(
            {str(n): rows[:, n].copy() for n in range(10)}
        ),
        "pandas 10 float64, by rows": pd.DataFrame(rows),
        "pandas texts (str)": pd.Series(texts),
        "pandas texts (object)": pd.Series(texts, dtype=object),
        "pandas categorical": pd.Series(RNG.integers(0, 100, NUMBERS)).astype("category"),
        "pandas Int64, 10% NA": pd.Series(RNG.integers(0, 9, NUMBERS))
        .mask(np.isnan(holes))
        .astype("Int64"),
        "polars 10 float64": pl.DataFrame(rows),
        "polars texts": pl.Series(texts),
        "pyarrow float64, 10% null": pa.array(numbers, mask=np.isnan(holes)),
        "pyarrow texts": pa.array(texts),
        "scipy CSR": sp.random_array((100_000, 1000), density=0.03, format="csr", rng=RNG),
        "list of floats": numbers[:TEXTS].tolist(),
        "list of texts": texts,
        "list of dicts": [{"id": n, "name": texts[n], "score": 0.5} for n in range(100_000)],
        "dict of floats": dict(zip(texts, numbers.tolist(), strict=False)),
        "bytes": numbers.tobytes(),
        "text": "The quick brown fox. " * 3_000_000,
    }


def compare(take: Callable[[], Digest | None], value: object) -> dict[str, object]:
    """Return the rates of a digest, of the bare hash and of the peer."""
    found = take()
    assert found is not None
    buffer = RNG.bytes(found.size_bytes)
    took_s = bare_s = peer_s = float("inf")
    for turn in range(ROUNDS):
        took_s = min(took_s, time(take))
        bare_s = min(bare_s, time(lambda: xxhash.xxh3_128_digest(buffer)))
        if value is not None and turn < PEER_ROUNDS:
            peer_s = min(peer_s, time(lambda: hash_by_peer(value)))
    figures: dict[str, object] = {
        "MB": round(found.size_bytes / 1e6),
        "GB/s": round(found.size_bytes / took_s / 1e9, 2),
        "bare GB/s": round(found.size_bytes / bare_s / 1e9, 2),
        "ratio": round(bare_s / took_s, 2),
    }
    return figures if value is None else figures | {"times_peer": round(peer_s / took_s, 1)}


def hash_by_peer(value: object) -> object:
    """Return what a program would take to tell whether a value changed."""
    if isinstance(value, pd.DataFrame | pd.Series):
        return pd.util.hash_pandas_object(value)
    return joblib.hash(value)


def time_sampled(file: Path) -> dict[str, object]:
    """Return how long a file above the limit takes."""
    took_s = find_best(lambda: digest_file(file, 1))
    return {"MB": round(file.stat().st_size / 1e6), "us": round(took_s * 1e6)}


def find_best(step: Callable[[], object]) -> float:
    """Return the shortest time of a step, in seconds."""
    return min(time(step) for _ in range(ROUNDS))


def time(step: Callable[[], object]) -> float:
    """Return how long a step takes, in seconds."""
    start_s = perf_counter()
    step()
    return perf_counter() - start_s


if __name__ == "__main__":
    main()
