"""What a span's events say of distributions: profiles of variables, and single numbers.

A profile that cannot be read costs the run nothing else; why it cannot is told.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import msgspec

from mltrace_exporter.decode.fields import Said, get_count, get_text, shorten
from mltrace_exporter.decode.spans import Event, make_storable
from mltrace_exporter.model import MetricValue, VariableProfile
from mltrace_otel.contract import attributes as names
from mltrace_otel.profiles.encoding import EncodingError, decode_columns, encode_columns
from mltrace_otel.profiles.shapes import Column
from mltrace_otel.profiles.summaries import summarise

NAME_LIMIT_BYTES = 500
PROFILE_LIMIT = 200
METRIC_LIMIT = 1000

_TEXT_LIMIT = 1_000_000
_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_POINTER_LIMIT_BYTES = 2000
_COUNT_LIMIT = 2**63
_COLUMN_COUNT_LIMIT = 2**31
_DIRECTIONS = ("input", "output")
_WORDS_OF_JSON = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def read_profiles(events: Iterable[Event]) -> tuple[tuple[VariableProfile, ...], list[str]]:
    """Return the profiles that events tell of, and why others cannot be read.

    Of a variable that is told of twice the first counts; of more than `PROFILE_LIMIT` those.
    """
    found: dict[tuple[str, str], VariableProfile] = {}
    faults: list[str] = []
    for name, said in events:
        if name == names.PROFILE_EVENT:
            try:
                profile = _read_profile(said)
            except EncodingError as error:
                faults.append(f"{get_text(said, names.PROFILE_VARIABLE) or 'a variable'}: {error}")
            else:
                found.setdefault((profile.direction, profile.variable), profile)
    if len(found) > PROFILE_LIMIT:
        faults.append(f"there are {len(found)} profiles, of which {PROFILE_LIMIT} are kept")
    return tuple(found.values())[:PROFILE_LIMIT], faults


def _read_profile(said: Said) -> VariableProfile:
    variable, text = get_text(said, names.PROFILE_VARIABLE), get_text(said, names.PROFILE_COLUMNS)
    direction, pointer = get_text(said, names.IO_DIRECTION), get_text(said, names.IO_NAME)
    rows = get_count(said, names.PROFILE_ROWS, _COUNT_LIMIT)
    looked_at = get_count(said, names.PROFILE_SAMPLED_ROWS, _COUNT_LIMIT)
    if text is not None and len(text) > _TEXT_LIMIT:
        raise EncodingError(f"its columns take more than {_TEXT_LIMIT:,} characters")
    if not variable or text is None or rows is None or direction not in _DIRECTIONS:
        raise EncodingError("its variable, direction, rows or columns are missing")
    columns: Sequence[Column] = decode_columns(text)
    if _UNSTORABLE.search(text):
        columns = [_clean(column) for column in columns]
        text = encode_columns(columns)
    return VariableProfile(
        direction=direction,
        variable=shorten(variable, NAME_LIMIT_BYTES),
        pointer=None if pointer is None else shorten(pointer, _POINTER_LIMIT_BYTES),
        rows=rows,
        looked_at=rows if looked_at is None else looked_at,
        columns_left_out=get_count(said, names.PROFILE_COLUMNS_LEFT_OUT, _COLUMN_COUNT_LIMIT) or 0,
        columns=text,
        figures=msgspec.json.encode([summarise(column) for column in columns]).decode(),
    )


def _clean(column: Column) -> Column:
    """Return a column whose texts can be stored: JSON can hold more than PostgreSQL."""
    values = column.values
    if values:
        top = tuple((make_storable(value), count) for value, count in values.top)
        values = replace(values, top=top)
    return replace(column, name=make_storable(column.name), values=values)


def read_metrics(events: Iterable[Event]) -> tuple[MetricValue, ...]:
    """Return the numbers that events tell of. The last of a name counts, of many the first."""
    found: dict[tuple[str, bool], MetricValue] = {}
    for event, said in events:
        if event != names.METRIC_EVENT:
            continue
        name, value = get_text(said, names.METRIC_NAME), _read_number(said)
        if name and value is not None:
            name = shorten(name, NAME_LIMIT_BYTES)
            is_output = get_text(said, names.IO_DIRECTION) == "output"
            found[name, is_output] = MetricValue(name, value, is_output)
    return tuple(found.values())[:METRIC_LIMIT]


def _read_number(said: Said) -> float | None:
    value = said.get(names.METRIC_VALUE)
    if isinstance(value, str):  # what JSON has no number for
        return _WORDS_OF_JSON.get(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
