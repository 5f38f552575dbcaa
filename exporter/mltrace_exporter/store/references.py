"""Which profiles a run's are held against. In: runs. Out: keys of earlier profiles."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa

from mltrace_exporter.lineage.skew import Kept
from mltrace_exporter.store.bulk import ask
from mltrace_exporter.store.preparation import prepared
from mltrace_exporter.store.schema import component_run, key_partition, profile

_LOOKED_THROUGH = 200
"""Of so many earlier runs, at most, those that profiled a variable are found."""


class ProfileKey(NamedTuple):
    """Which profile."""

    run_id: int
    direction: str
    variable: str


def list_profiled(
    connection: sa.Connection, run_ids: Collection[int]
) -> dict[Literal["input", "output"], set[int]]:
    """Return those of some runs that profiled an input, and those that profiled an output."""
    profiled: dict[Literal["input", "output"], set[int]] = {"input": set(), "output": set()}
    for run_id, direction in connection.execute(_select_profiled(), {"id": list(run_ids)}):
        profiled[direction].add(run_id)
    return profiled


@prepared
def _select_profiled() -> sa.Select[int, Literal["input", "output"]]:
    asked = ask(id=sa.BigInteger)
    return sa.select(profile.c.run_id, profile.c.direction).join(
        asked, asked.c.id == profile.c.run_id
    )


def list_kept(connection: sa.Connection, run_ids: Collection[int]) -> list[Kept]:
    """Return what runs profiled, outputs first, and what is to be known of these runs."""
    return [
        Kept(id_, component, (started_at, span_id, trace_id), direction, variable)
        for id_, component, started_at, span_id, trace_id, direction, variable in (
            connection.execute(_select_kept(), {"id": list(run_ids)})
        )
    ]


@prepared
def _select_kept() -> sa.Select[int, str, datetime, bytes, bytes, str, str]:
    asked, run = ask(id=sa.BigInteger), component_run
    return (
        sa.select(
            *(run.c.id, run.c.component, run.c.started_at, run.c.span_id, run.c.trace_id),
            *(profile.c.direction, profile.c.variable),
        )
        .select_from(
            asked.join(profile, profile.c.run_id == asked.c.id).join(
                run, run.c.id == profile.c.run_id
            )
        )
        .order_by(run.c.id, profile.c.direction.desc(), profile.c.variable)
    )


def name_key(kept: Kept) -> ProfileKey:
    """Return the key of a profile."""
    return ProfileKey(kept.run_id, kept.direction, kept.variable)


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
    found = {name_key(each): list[ProfileKey]() for each in list_kept(connection, run_ids)}
    for select in (_select_earlier_of_partition, _select_earlier_of_any):
        wanted = sorted({key.run_id for key, earlier in found.items() if not earlier})
        if not wanted:
            break
        lacking = {key for key, earlier in found.items() if not earlier}
        parameters = {"id": wanted, "limit": limit}
        rows = connection.execute(select(), parameters)
        for run_id, direction, variable, earlier_id in rows:
            key = ProfileKey(run_id, direction, variable)
            if key in lacking:
                found[key].append(ProfileKey(earlier_id, direction, variable))
    return {key: earlier[::-1] for key, earlier in found.items()}


@prepared
def _select_earlier_of_partition() -> sa.Select[int, str, str, int]:
    return _select_earlier(same_partition=True)


@prepared
def _select_earlier_of_any() -> sa.Select[int, str, str, int]:
    return _select_earlier(same_partition=False)


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
