"""Values that are told apart. In: counts of values, or Python's objects. Out: columns.

Nothing of an object is asked to print or hash itself unless its class is one of Python's own.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from heapq import nsmallest
from typing import Any
from uuid import UUID

import xxhash

from mltrace_otel.profiles.merging import keep_frequent, summarise_counts
from mltrace_otel.profiles.shapes import (
    SKETCH_BITS,
    SKETCH_HASHES,
    Column,
    ColumnKind,
    Numbers,
    Values,
)

LABEL_LIMIT = 100

_HASH_BITS = 64
_CUT = 80
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_S = 86_400.0
_NULLS = frozenset({"NAType", "NaTType", "NoneType"})
_NUMBERS = (int, float, Decimal, Fraction)
_PLAIN = frozenset({bytes, complex, UUID, time, timedelta})
_CLASSES: dict[type, ColumnKind] = {
    bool: ColumnKind.BOOLEAN,
    **dict.fromkeys(_NUMBERS, ColumnKind.NUMERIC),
    str: ColumnKind.TEXT,
    bytes: ColumnKind.CATEGORICAL,
    date: ColumnKind.DATETIME,
}
_OF_NUMPY = {
    "bool": ColumnKind.BOOLEAN,
    "bool_": ColumnKind.BOOLEAN,
    "integer": ColumnKind.NUMERIC,
    "floating": ColumnKind.NUMERIC,
}


def summarise_values(counts: Mapping[str, int]) -> Values:
    """Return the summary of texts that occur so often."""
    top, other = keep_frequent(counts)
    return Values(
        tuple((shorten(text), count) for text, count in top),
        other,
        tuple(nsmallest(SKETCH_HASHES, {hash_text(text) for text in counts})),
    )


def hash_text(text: str) -> int:
    """Return what a text is known by in sketches, the same in every process."""
    encoded = text.encode("utf-8", "surrogatepass")
    return xxhash.xxh3_64_intdigest(encoded) >> (_HASH_BITS - SKETCH_BITS)


def shorten(text: str) -> str:
    """Return a text as it is kept: of a long one its beginning, and what tells it from others."""
    if len(text) <= LABEL_LIMIT:
        return text
    return f"{text[:_CUT]}… {hash_text(text):x}"


def make_categorical(
    name: str, counts: Mapping[str, int], nulls: int, kind: ColumnKind = ColumnKind.CATEGORICAL
) -> Column:
    """Return a column of values that occur so often."""
    return Column(name, kind, sum(counts.values()), nulls, values=summarise_values(counts))


def make_boolean(name: str, true: int, false: int, nulls: int) -> Column:
    """Return a column of so many truths."""
    counts = {text: count for text, count in (("true", true), ("false", false)) if count}
    return make_categorical(name, counts, nulls, ColumnKind.BOOLEAN)


def make_text(name: str, counts: Mapping[str, int], nulls: int) -> Column:
    """Return a column of texts that occur so often."""
    lengths: Counter[float] = Counter()
    for text, count in counts.items():
        lengths[len(text)] += count
    values = summarise_values(counts)
    return Column(
        name, ColumnKind.TEXT, sum(counts.values()), nulls, summarise_counts(lengths), values
    )


def make_numeric(
    name: str, numbers: Numbers, count: int, nulls: int, kind: ColumnKind = ColumnKind.NUMERIC
) -> Column:
    """Return a column of numbers."""
    return Column(name, kind, count, nulls, numbers)


def read_objects(name: str, objects: Sequence[Any]) -> Column:
    """Return the summary of Python's objects.

    What is of one kind is summarised as that; what is mixed is told apart by its text.
    """
    kinds = {kind: _classify(kind) for kind in set(map(type, objects))}
    # In pandas NaN stands for what is missing among other objects, too.
    known = [
        each
        for each in objects
        if kinds[type(each)] is not None and not (isinstance(each, float) and math.isnan(each))
    ]
    nulls = len(objects) - len(known)
    found = {kinds[kind] for kind in set(map(type, known))}
    if found == {ColumnKind.BOOLEAN}:
        true = sum(map(bool, known))
        return make_boolean(name, true, len(known) - true, nulls)
    if found in ({ColumnKind.NUMERIC}, set()):
        return _make_numbers(name, map(_read_number, known), nulls, ColumnKind.NUMERIC)
    if found == {ColumnKind.DATETIME}:
        return _make_numbers(name, map(_read_moment, known), nulls, ColumnKind.DATETIME)
    if found == {ColumnKind.TEXT}:
        return make_text(name, Counter(map(str, known)), nulls)
    if found == {ColumnKind.NESTED}:
        lengths = summarise_counts(Counter(float(_measure(each)) for each in known))
        return make_numeric(name, lengths, len(known), nulls, ColumnKind.NESTED)
    return make_categorical(name, Counter(map(_describe, known)), nulls)


def _classify(kind: type) -> ColumnKind | None:
    """Return what objects of a class are; None of those that stand for nothing."""
    if kind.__name__ in _NULLS:
        return None
    found = next((_CLASSES[base] for base in kind.__mro__ if base in _CLASSES), None)
    if found is None:
        names = (base.__name__ for base in kind.__mro__ if base.__module__ == "numpy")
        found = next((_OF_NUMPY[name] for name in names if name in _OF_NUMPY), None)
    if found is None and hasattr(kind, "__len__"):
        found = ColumnKind.NESTED
    return found or ColumnKind.CATEGORICAL


def _make_numbers(name: str, numbers: Iterable[float], nulls: int, kind: ColumnKind) -> Column:
    counts = Counter(numbers)
    nans = sum(count for number, count in counts.items() if math.isnan(number))
    count = counts.total() - nans
    return make_numeric(name, summarise_counts(counts), count, nulls + nans, kind)


def _read_number(value: Any) -> float:  # noqa: ANN401 - any number
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _read_moment(value: date) -> float:
    """Return seconds since 1970; a moment without a zone is taken as UTC."""
    if not isinstance(value, datetime):
        return (value.toordinal() - _EPOCH) * _DAY_S
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()


def _measure(value: Any) -> int:  # noqa: ANN401 - what has a length
    try:
        return len(value)
    except Exception:  # noqa: BLE001 - an object's own length may fail, in its own way
        return 0


def _describe(value: object) -> str:
    kind = type(value)
    if kind in _PLAIN or kind in {bool, *_NUMBERS, str, date, datetime}:
        return str(value)
    return f"<{kind.__module__}.{kind.__qualname__}>"
