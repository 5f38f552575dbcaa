"""How far outputs have drifted, looked at now and then. In: the newest profiles. Out: scores.

To compare takes milliseconds for each output, so that what was compared is remembered as long as it
is compared with the same runs, and one look compares for a bounded time only. Every exporter comes
to the same scores.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from math import isnan
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.store.references import ProfileKey, find_earlier
from mltrace_exporter.store.verdicts import Asked, judge_profiles
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.merging import summarise_numbers
from mltrace_otel.profiles.rules import Rule
from mltrace_otel.profiles.shapes import Column, ColumnKind, Profile
from mltrace_otel.profiles.verdicts import Deviation, ProfileDrift

REFERENCE_RUNS = 10
RECENT_VALUES = 20
"""Of single numbers, those of so many runs are compared with those of the runs before."""
_LIMIT_S = 2.0
_AT_ONCE = 20


class Score(NamedTuple):
    """How far a column of an output has drifted.

    Attributes:
        column: its name; empty of the output as a whole.
        method: what was compared.
        score: how far; at most the threshold where it may be chance.
        threshold: how far is drift.
    """

    column: str
    method: str
    score: float
    threshold: float


class Drifts:
    """Scores of outputs that were looked at."""

    def __init__(self) -> None:
        self._asked: dict[ProfileKey, Asked] = {}
        self._scores: dict[Asked, Sequence[Score]] = {}

    def renew(self) -> None:
        """Ask again what is compared with what: a run may have arrived late."""
        self._asked.clear()

    def look(
        self, connection: sa.Connection, keys: Collection[ProfileKey]
    ) -> dict[ProfileKey, Sequence[Score]]:
        """Return the scores of profiles, as far as there was time to find them out."""
        self._choose(connection, keys)
        wanted = set(self._asked.values())
        self._scores = {asked: found for asked, found in self._scores.items() if asked in wanted}
        until_s = time.monotonic() + _LIMIT_S
        for some in _cut(sorted(wanted - self._scores.keys()), _AT_ONCE):
            judged = judge_profiles(connection, some)
            self._scores |= {asked: _score(each.drift) for asked, each in judged.items()}
            if time.monotonic() > until_s:
                break
        return {
            key: self._scores[asked] for key, asked in self._asked.items() if asked in self._scores
        }

    def _choose(self, connection: sa.Connection, keys: Collection[ProfileKey]) -> None:
        new = [key for key in keys if key not in self._asked]
        earlier = find_earlier(connection, {key.run_id for key in new}, REFERENCE_RUNS)
        found = {key: (key, *earlier[key]) for key in new if earlier.get(key)}
        self._asked = {key: self._asked[key] for key in keys if key in self._asked} | found


def score_values(values: Sequence[float]) -> list[Score]:
    """Return how far the last of single numbers have drifted from those before.

    Args:
        values: newest first; what is too few to tell has no score.
    """
    if len(values) < 2 * RECENT_VALUES:
        return []
    now, before = (_summarise(part) for part in (values[:RECENT_VALUES], values[RECENT_VALUES:]))
    return _score(judge_profile(now, [before], Rule(rows=None)))


def _summarise(values: Sequence[float]) -> Profile:
    known = [value for value in values if not isnan(value)]
    count, nulls = len(known), len(values) - len(known)
    column = Column("", ColumnKind.NUMERIC, count, nulls, summarise_numbers(known))
    return Profile(len(values), len(values), (column,))


def _cut(asked: Sequence[Asked], size: int) -> Iterator[Sequence[Asked]]:
    for start in range(0, len(asked), size):
        yield asked[start : start + size]


def _score(drift: ProfileDrift) -> list[Score]:
    whole = [_shape("", each) for each in drift.deviations]
    return whole + [
        _shape(column.column, each) for column in drift.columns for each in column.deviations
    ]


def _shape(column: str, deviation: Deviation) -> Score:
    effect, threshold = deviation.effect, deviation.threshold
    score = effect if deviation.drifted else min(effect, threshold)
    return Score(column, deviation.method, score, threshold)
