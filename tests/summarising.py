"""Profiles made by looking at values one by one, for tests of what is made of them."""

import random
from collections import Counter
from collections.abc import Sequence

from mltrace_otel.profiles.merging import keep_frequent, summarise_numbers
from mltrace_otel.profiles.shapes import (
    SKETCH_BITS,
    SKETCH_HASHES,
    Column,
    ColumnKind,
    Profile,
    Values,
)


def hash_text(text: str) -> int:
    """Return a number that looks random and is the same each time."""
    return random.Random(text.encode(errors="surrogatepass")).getrandbits(SKETCH_BITS)  # noqa: S311 - no secret


def summarise_values(texts: Sequence[str]) -> Values:
    counts = Counter(texts)
    top, other = keep_frequent(counts)
    return Values(top, other, tuple(sorted(map(hash_text, counts)))[:SKETCH_HASHES])


def make_numeric(name: str, values: Sequence[float | None]) -> Column:
    known = [value for value in values if value is not None]
    nulls = len(values) - len(known)
    return Column(name, ColumnKind.NUMERIC, len(known), nulls, summarise_numbers(known))


def make_categorical(name: str, texts: Sequence[str]) -> Column:
    values = summarise_values(texts)
    return Column(name, ColumnKind.CATEGORICAL, len(texts), 0, values=values)


def make_profile(*columns: Column) -> Profile:
    rows = columns[0].count + columns[0].nulls
    return Profile(rows, rows, columns)
