"""Verdicts on profiles that are stored, in full or in sentences.

To compare two columns takes a millisecond, wide tables have hundreds, and a list of runs asks for
that of each of them. What was found is remembered by the contents that were compared, of which it
is a function: nothing that arrives makes it wrong.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from mltrace_exporter.store.references import ProfileKey
from mltrace_exporter.store.schema import profile
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.merging import merge_profiles
from mltrace_otel.profiles.rules import DEFAULT_RULE, Rule
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.verdicts import ProfileDrift

Asked = tuple[ProfileKey, ...]
"""A profile, and those that it is held against, the oldest first."""
Sentences = tuple[str, ...]
Contents = tuple[object, ...]
"""What tells a comparison from all others: the rule, and hashes of what is compared."""

_COLUMNS_REMEMBERED = 4096
"""Of so many columns the whole verdict is remembered, each of some kilobytes."""
_Found = TypeVar("_Found")


class Judged(NamedTuple):
    """A profile, what those held together that it was held against, and the verdict."""

    now: Profile
    before: Profile
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
    return _judge(connection, _name_contents(connection, every, rule), rule) if every else {}


def tell_drifts(
    connection: sa.Connection, asked: Iterable[Asked], rule: Rule = DEFAULT_RULE
) -> dict[Asked, Sentences]:
    """Return in sentences what drifted, the worst first; see `judge_profiles`."""
    every = dict.fromkeys(asked)
    if not every:
        return {}
    contents = _name_contents(connection, every, rule)
    known = _sentences.recall(contents.values())
    unknown = {keys: content for keys, content in contents.items() if content not in known}
    judged = _judge(connection, unknown, rule)
    known |= {contents[keys]: tuple(each.drift.sentences) for keys, each in judged.items()}
    return {keys: known[contents[keys]] for keys in every}


def _judge(
    connection: sa.Connection, contents: Mapping[Asked, Contents], rule: Rule
) -> dict[Asked, Judged]:
    known = _verdicts.recall(contents.values())
    unknown = [keys for keys, content in contents.items() if content not in known]
    wanted = {key for keys in unknown for key in keys}
    profiles = _read_profiles(connection, wanted) if wanted else {}
    for keys in unknown:
        now, *before = (profiles[key] for key in keys)
        judged = Judged(now, merge_profiles(before), judge_profile(now, before, rule))
        known[contents[keys]] = judged
        _verdicts.keep(contents[keys], judged, weight=len(now.columns))
        _sentences.keep(contents[keys], tuple(judged.drift.sentences))
    return {keys: known[content] for keys, content in contents.items()}


def _name_contents(
    connection: sa.Connection, asked: Iterable[Asked], rule: Rule
) -> dict[Asked, Contents]:
    hashes = _read_hashes(connection, {key for keys in asked for key in keys})
    return {keys: (rule, *(hashes[key] for key in keys)) for keys in asked}


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


class _Memory(Generic[_Found]):
    """What was found of contents that were compared last. Any thread may ask."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._found: OrderedDict[Contents, tuple[_Found, int]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, asked: Iterable[Contents]) -> dict[Contents, _Found]:
        with self._lock:
            known = [each for each in asked if each in self._found]
            for each in known:
                self._found.move_to_end(each)
            return {each: self._found[each][0] for each in known}

    def keep(self, contents: Contents, found: _Found, weight: int = 1) -> None:
        with self._lock:
            _, replaced = self._found.pop(contents, (None, 0))
            self._found[contents] = found, weight
            self._weight += weight - replaced
            while self._weight > self._limit:
                self._weight -= self._found.popitem(last=False)[1][1]


_sentences = _Memory[Sentences](8192)
_verdicts = _Memory[Judged](_COLUMNS_REMEMBERED)
