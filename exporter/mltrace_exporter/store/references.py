"""Profiles that a run's are held against. In: runs. Out: profiles of earlier ones."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from mltrace_exporter.lineage.skew import Kept
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.schema import component_run, key_partition, profile
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.rules import DEFAULT_RULE, Rule
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.verdicts import ProfileDrift

_LOOKED_THROUGH = 200
"""Of so many earlier runs, at most, those that profiled a variable are found."""


class ProfileKey(NamedTuple):
    """Which profile."""

    run_id: int
    direction: str
    variable: str


class Judged(NamedTuple):
    """A profile, those that it was held against, and the verdict."""

    now: Profile
    before: list[Profile]
    drift: ProfileDrift


def list_profiled(connection: sa.Connection, run_ids: Collection[int]) -> list[ProfileKey]:
    """Return what runs profiled, outputs first."""
    query = (
        sa.select(profile.c.run_id, profile.c.direction, profile.c.variable)
        .where(profile.c.run_id.in_(run_ids))
        .order_by(profile.c.run_id, profile.c.direction.desc(), profile.c.variable)
    )
    return [ProfileKey(*row) for row in connection.execute(query)]


def list_kept(connection: sa.Connection, run_ids: Collection[int]) -> list[Kept]:
    """Return what runs profiled, with what is needed to know of the runs."""
    run = component_run
    query = (
        sa.select(
            *(run.c.id, run.c.component, run.c.started_at, run.c.span_id, run.c.trace_id),
            *(profile.c.direction, profile.c.variable),
        )
        .join_from(profile, run, run.c.id == profile.c.run_id)
        .where(profile.c.run_id.in_(run_ids))
        .order_by(run.c.id, profile.c.direction.desc(), profile.c.variable)
    )
    return [
        Kept(id_, component, (started_at, span_id, trace_id), direction, variable)
        for id_, component, started_at, span_id, trace_id, direction, variable in (
            connection.execute(query)
        )
    ]


def judge_profiles(
    connection: sa.Connection, asked: Iterable[tuple[ProfileKey, ...]], rule: Rule = DEFAULT_RULE
) -> dict[tuple[ProfileKey, ...], Judged]:
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


def find_earlier(
    connection: sa.Connection, run_ids: Collection[int], limit: int
) -> dict[ProfileKey, list[ProfileKey]]:
    """Return for each profile of runs those of the component's runs before, the oldest first.

    They are of the run's partition; of any, where none of that has profiled the variable before, as
    when each day is a partition of its own.

    Args:
        connection: to the database.
        run_ids: the runs.
        limit: how many, at most.
    """
    found = {key: list[ProfileKey]() for key in list_profiled(connection, run_ids)}
    for same_partition in (True, False):
        wanted = sorted({key.run_id for key, earlier in found.items() if not earlier})
        if not wanted:
            break
        lacking = {key for key, earlier in found.items() if not earlier}
        parameters = {"id": wanted, "limit": limit}
        rows = connection.execute(_select_earlier(same_partition=same_partition), parameters)
        for run_id, direction, variable, earlier_id in rows:
            key = ProfileKey(run_id, direction, variable)
            if key in lacking:
                found[key].append(ProfileKey(earlier_id, direction, variable))
    return {key: earlier[::-1] for key, earlier in found.items()}


@cache
def _select_earlier(*, same_partition: bool) -> sa.Select[int, str, str, int]:
    asked = ask(id=sa.BigInteger)
    run, earlier = component_run.alias("run"), component_run.alias("earlier")
    order = (earlier.c.started_at.desc(), earlier.c.span_id.desc(), earlier.c.trace_id.desc())
    before = sa.select(earlier.c.id, *(column.element for column in order)).where(
        earlier.c.component == run.c.component, earlier.c.started_at < run.c.started_at
    )
    if same_partition:
        before = before.where(
            key_partition(earlier) == key_partition(run),
            earlier.c.partition.is_not_distinct_from(run.c.partition),
        )
    near = before.order_by(*order).limit(_LOOKED_THROUGH).correlate(run).lateral("near")
    also = profile.alias("also")
    has_it = sa.exists().where(
        also.c.run_id == near.c.id,
        also.c.direction == profile.c.direction,
        also.c.variable == profile.c.variable,
    )
    nearest = (near.c.started_at.desc(), near.c.span_id.desc(), near.c.trace_id.desc())
    chosen = (
        sa.select(near.c.id, *(column.element for column in nearest))
        .where(has_it.correlate(near, profile))
        .order_by(*nearest)
        .limit(sa.bindparam("limit", type_=sa.BigInteger))
        .correlate(run, profile)
        .lateral("chosen")
    )
    return (
        sa.select(run.c.id, profile.c.direction, profile.c.variable, chosen.c.id)
        .select_from(
            asked.join(run, run.c.id == asked.c.id)
            .join(profile, profile.c.run_id == run.c.id)
            .join(chosen, sa.true())
        )
        .order_by(
            run.c.id,
            profile.c.direction.desc(),
            profile.c.variable,
            chosen.c.started_at.desc(),
            chosen.c.span_id.desc(),
            chosen.c.trace_id.desc(),
        )
    )
