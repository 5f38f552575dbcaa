"""Columns as JSON, as they travel. In: columns or text. Out: text or columns.

Keys that are not known are left alone, so that a newer client may say more. Every other fault is an
error that names the place: an array of objects, each with `name`, `kind`, `count`, `nulls` and, as
they apply, `numbers` and `values`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from mltrace_otel.profiles.shapes import (
    COLUMN_LIMIT,
    HISTOGRAM_BUCKETS,
    SKETCH_HASHES,
    TOP_VALUES,
    Buckets,
    Column,
    ColumnKind,
    Histogram,
    Numbers,
    Values,
)

_T = TypeVar("_T")
_LOWEST_SCALE, _HIGHEST_SCALE = -10, 20
_LARGEST = 2**63 - 1


class EncodingError(ValueError):
    """What was read is no profile; the message says where and why."""


def encode_columns(columns: Iterable[Column]) -> str:
    """Return columns as JSON, without spaces."""
    return json.dumps(
        [_encode_column(each) for each in columns], separators=(",", ":"), allow_nan=False
    )


def encode_within(columns: Iterable[Column], limit: int) -> tuple[str, int]:
    """Return the JSON of the first columns that take at most ``limit`` characters, and how many."""
    encoded, size = [], 2
    for column in columns:
        text = encode_columns([column])[1:-1]
        size += len(text) + 1
        if size > limit:
            break
        encoded.append(text)
    return f"[{','.join(encoded)}]", len(encoded)


def _encode_column(column: Column) -> dict[str, object]:
    said: dict[str, object] = {
        "name": column.name,
        "kind": column.kind,
        "count": column.count,
        "nulls": column.nulls,
    }
    if column.numbers:
        said["numbers"] = _encode_numbers(column.numbers)
    if column.values:
        said["values"] = _encode_values(column.values)
    return said


def _encode_numbers(numbers: Numbers) -> dict[str, object]:
    histogram = numbers.histogram
    return {
        "min": numbers.minimum,
        "max": numbers.maximum,
        "sum": numbers.total,
        "squares": numbers.squares,
        "infinite": numbers.infinite,
        "scale": histogram.scale,
        "zeros": histogram.zeros,
        "positive": _encode_buckets(histogram.positive),
        "negative": _encode_buckets(histogram.negative),
    }


def _encode_buckets(buckets: Buckets) -> dict[str, object]:
    return {"offset": buckets.offset, "counts": buckets.counts}


def _encode_values(values: Values) -> dict[str, object]:
    return {
        "top": values.top,
        "other": values.other,
        "error": values.error,
        "sketch": values.sketch,
    }


def decode_columns(text: str) -> tuple[Column, ...]:
    """Return the columns that a JSON text holds.

    Raises:
        EncodingError: it holds none, or more than the bounds of a profile allow.
    """
    try:
        items = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise EncodingError(f"columns are no JSON: {error}") from error
    if not isinstance(items, list):
        raise EncodingError("columns are no array")
    if len(items) > COLUMN_LIMIT:
        raise EncodingError(f"{len(items)} columns are more than {COLUMN_LIMIT}")
    return tuple(_decode_column(item, f"columns[{place}]") for place, item in enumerate(items))


def _refuse(constant: str) -> None:
    raise EncodingError(f"{constant} is no JSON")


def _decode_column(item: object, at: str) -> Column:
    said = _expect(item, dict, at)
    kind = _take(said, "kind", str, at)
    if kind not in list(ColumnKind):
        raise EncodingError(f"{at}.kind {kind!r} is none of {', '.join(ColumnKind)}")
    numbers, values = said.get("numbers"), said.get("values")
    return Column(
        name=_take(said, "name", str, at),
        kind=ColumnKind(kind),
        count=_take_count(said, "count", at),
        nulls=_take_count(said, "nulls", at),
        numbers=None if numbers is None else _decode_numbers(numbers, f"{at}.numbers"),
        values=None if values is None else _decode_values(values, f"{at}.values"),
    )


def _decode_numbers(item: object, at: str) -> Numbers:
    said = _expect(item, dict, at)
    scale = _take(said, "scale", int, at)
    if not _LOWEST_SCALE <= scale <= _HIGHEST_SCALE:
        raise EncodingError(f"{at}.scale is not from {_LOWEST_SCALE} to {_HIGHEST_SCALE}")
    return Numbers(
        minimum=_take_float(said, "min", at),
        maximum=_take_float(said, "max", at),
        total=_take_float(said, "sum", at),
        squares=_take_float(said, "squares", at),
        infinite=_take_count(said, "infinite", at),
        histogram=Histogram(
            scale,
            _take_count(said, "zeros", at),
            _decode_buckets(said.get("positive"), f"{at}.positive"),
            _decode_buckets(said.get("negative"), f"{at}.negative"),
        ),
    )


def _decode_buckets(item: object, at: str) -> Buckets:
    if item is None:
        return Buckets()
    said = _expect(item, dict, at)
    counts = _take(said, "counts", list, at)
    if len(counts) > HISTOGRAM_BUCKETS:
        raise EncodingError(f"{at}.counts are more than {HISTOGRAM_BUCKETS}")
    offset = _take(said, "offset", int, at)
    if abs(offset) > 1 << 32:
        raise EncodingError(f"{at}.offset {offset} is of no float")
    return Buckets(offset, _check_counts(counts, f"{at}.counts"))


def _decode_values(item: object, at: str) -> Values:
    said = _expect(item, dict, at)
    top = _take(said, "top", list, at)
    sketch = _take(said, "sketch", list, at)
    if len(top) > TOP_VALUES or len(sketch) > SKETCH_HASHES:
        raise EncodingError(
            f"{at} has more than {TOP_VALUES} values in top or {SKETCH_HASHES} hashes in sketch"
        )
    return Values(
        top=tuple(_decode_counted(each, f"{at}.top") for each in top),
        other=_take_count(said, "other", at),
        sketch=_check_counts(sketch, f"{at}.sketch"),
        error=_check_count(said.get("error", 0), f"{at}.error"),
    )


def _decode_counted(item: object, at: str) -> tuple[str, int]:
    match item:
        case [str(value), count]:
            return value, _check_count(count, at)
    raise EncodingError(f"{at} has something else than a text and its count")


def _take(said: Mapping[str, object], key: str, kind: type[_T], at: str) -> _T:
    return _expect(said.get(key), kind, f"{at}.{key}")


def _take_count(said: Mapping[str, object], key: str, at: str) -> int:
    return _check_count(said.get(key), f"{at}.{key}")


def _take_float(said: Mapping[str, Any], key: str, at: str) -> float | None:
    value = said.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EncodingError(f"{at}.{key} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise EncodingError(f"{at}.{key} is no finite number")
    return number


def _check_counts(values: list[object], at: str) -> tuple[int, ...]:
    if {int}.issuperset(map(type, values)):  # so it is, and nobody need look at each
        numbers: tuple[int, ...] = tuple(values)  # type: ignore[arg-type]
        if not numbers or (min(numbers) >= 0 and max(numbers) <= _LARGEST):
            return numbers
    return tuple(_check_count(value, at) for value in values)


def _check_count(value: object, at: str) -> int:
    number = _expect(value, int, at)
    if not 0 <= number <= _LARGEST:
        raise EncodingError(f"{at} is not from 0 to {_LARGEST}")
    return number


def _expect(value: object, kind: type[_T], at: str) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {dict: "an object", list: "an array", str: "a text", int: "a whole number"}
        raise EncodingError(f"{at} is not {wanted[kind]}")
    return value
