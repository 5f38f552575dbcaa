"""Verdicts on profiles that are stored: in full, or in sentences that are remembered.

To compare two tables takes milliseconds, and a list of runs asks for that of each of them. What was
found is remembered by the contents that were compared, of which it is a function: nothing that
arrives makes it wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.store.references import ProfileKey
from mltrace_exporter.store.schema import profile
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.rules import DEFAULT_RULE, Rule
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.verdicts import ProfileDrift

Asked = tuple[ProfileKey, ...]
"""A profile, and those that it is held against, the oldest first."""
Sentences = tuple[str, ...]

_REMEMBERED = 8192


class Judged(NamedTuple):
    """A profile, those that it was held against, and the verdict."""

    now: Profile
    before: list[Profile]
    drift: ProfileDrift


def judge_profiles(
    connection: sa.Connection, asked: Iterable[Asked], rule: Rule = DEFAULT_RULE
) -> dict[Asked, Judged]:
    """Return for profiles and those that each is held against what became of it.

    Args:
        connection: to the database.
        asked: each profile with those before, the oldest first; what is asked twice is judged once.
        rule: what counts as drift.
    """
    every = dict.fromkeys(asked)
    profiles = _read_profiles(connection, {key for keys in every for key in keys})
    found = {}
    for keys in every:
        now, *before = (profiles[key] for key in keys)
        found[keys] = Judged(now, before, judge_profile(now, before, rule))
    return found


def tell_drifts(
    connection: sa.Connection, asked: Iterable[Asked], rule: Rule = DEFAULT_RULE
) -> dict[Asked, Sentences]:
    """Return in sentences what drifted, the worst first; see `judge_profiles`."""
    every = dict.fromkeys(asked)
    if not every:
        return {}
    hashes = _read_hashes(connection, {key for keys in every for key in keys})
    contents = {keys: (rule, *(hashes[key] for key in keys)) for keys in every}
    known = _memory.recall(contents.values())
    unknown = [keys for keys in every if contents[keys] not in known]
    judged = judge_profiles(connection, unknown, rule) if unknown else {}
    found = {contents[keys]: tuple(each.drift.sentences) for keys, each in judged.items()}
    _memory.keep(found)
    known |= found
    return {keys: known[contents[keys]] for keys in every}


def _read_hashes(connection: sa.Connection, keys: Collection[ProfileKey]) -> dict[ProfileKey, str]:
    """Return what tells the contents of profiles from all others."""
    columns = sa.func.md5(sa.cast(profile.c.columns, sa.Text))
    content = sa.func.concat_ws(
        sa.text("' '"), profile.c.rows, profile.c.looked_at, profile.c.columns_left_out, columns
    )
    names = sa.tuple_(profile.c.run_id, profile.c.direction, profile.c.variable)
    query = sa.select(profile.c.run_id, profile.c.direction, profile.c.variable, content).where(
        names.in_(keys)
    )
    return {ProfileKey(*key): content for *key, content in connection.execute(query)}


def _read_profiles(
    connection: sa.Connection, keys: Collection[ProfileKey]
) -> dict[ProfileKey, Profile]:
    names = sa.tuple_(profile.c.run_id, profile.c.direction, profile.c.variable)
    query = sa.select(
        *(profile.c.run_id, profile.c.direction, profile.c.variable),
        *(profile.c.rows, profile.c.looked_at, sa.cast(profile.c.columns, sa.Text)),
        profile.c.columns_left_out,
    ).where(names.in_(keys))
    return {
        ProfileKey(*key): Profile(rows, looked_at, decode_columns(text), left_out)
        for *key, rows, looked_at, text, left_out in connection.execute(query)
    }


Contents = tuple[object, ...]


class _Memory:
    """What was found of contents that were compared last. Any thread may ask."""

    def __init__(self) -> None:
        self._found: OrderedDict[Contents, Sentences] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, asked: Iterable[Contents]) -> dict[Contents, Sentences]:
        with self._lock:
            return {each: self._found[each] for each in asked if each in self._found}

    def keep(self, found: Mapping[Contents, Sentences]) -> None:
        with self._lock:
            self._found.update(found)
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)


_memory = _Memory()
