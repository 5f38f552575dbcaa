"""What monitoring asks: how every component and every test is now, in a few statements.

Newest means begun last, as everywhere, in whatever order runs arrived.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.store.liveness import shown_end, shown_execution
from mltrace_exporter.store.schema import component, component_run, dead_letter, flag, test_result

TESTED_RUNS = 20
"""A test that none of the component's newest runs brought is one that it no longer has."""

PAUSES_WITHIN = timedelta(days=28)
PAUSES_NEEDED = 3
_SPARSE_RUNS = 10
_RESOLUTION = timedelta(minutes=5)

Row = sa.Row[*tuple[Any, ...]]


def read_components(connection: sa.Connection) -> Sequence[Row]:
    """Return each component with its newest run, the newest that is over and that succeeded.

    Columns: ``name``, ``owner``; ``newest_id``, ``newest_at``, when it ended or was last known to
    go on; ``outcome``, ``trace_id``, ``span_id``, ``ended_at`` and ``duration_s`` of the one that
    is over; ``success_trace_id``, ``success_span_id``, ``success_at``. Of what there is none, None.
    """
    newest, over, success = (component_run.alias(name) for name in ("newest", "over", "success"))
    last_sign = sa.func.coalesce(newest.c.ended_at, newest.c.alive_at, newest.c.started_at)
    is_over = shown_execution(over) != sa.literal_column("'running'")
    is_success = success.c.execution == sa.literal_column("'ok'")
    first = _find_newest(newest, newest.c.id, last_sign.label("at"))
    last = _find_newest(
        over,
        shown_execution(over).label("outcome"),
        over.c.trace_id,
        over.c.span_id,
        shown_end(over).label("ended_at"),
        sa.func.extract("epoch", over.c.ended_at - over.c.started_at).label("duration_s"),
        where=is_over,
    )
    good = _find_newest(
        success,
        success.c.trace_id,
        success.c.span_id,
        success.c.ended_at,
        where=is_success,
    )
    query = sa.select(
        component.c.name,
        component.c.owner,
        first.c.id.label("newest_id"),
        first.c.at.label("newest_at"),
        last.c.outcome,
        last.c.trace_id,
        last.c.span_id,
        last.c.ended_at,
        last.c.duration_s,
        good.c.trace_id.label("success_trace_id"),
        good.c.span_id.label("success_span_id"),
        good.c.ended_at.label("success_at"),
    ).select_from(
        component.outerjoin(first, sa.true()).outerjoin(last, sa.true()).outerjoin(good, sa.true())
    )
    return connection.execute(query).all()


def read_tests(connection: sa.Connection) -> Sequence[Row]:
    """Return what came of each test when it last ran, among its component's newest runs.

    Columns: ``component``, ``suite``, ``case``, ``phase``, ``status``, ``ended_at``.
    """
    run = component_run.alias("run")
    recent = _find_newest(run, run.c.id, run.c.started_at, run.c.ended_at, limit=TESTED_RUNS)
    keys = (component.c.name, test_result.c.suite, test_result.c["case"], test_result.c.phase)
    query = (
        sa.select(
            component.c.name.label("component"),
            *keys[1:],
            test_result.c.status,
            recent.c.ended_at,
        )
        .select_from(
            component.join(recent, sa.true()).join(test_result, test_result.c.run_id == recent.c.id)
        )
        .ext(pg.distinct_on(*keys))
        .order_by(*keys, recent.c.started_at.desc(), recent.c.id.desc(), test_result.c.position)
    )
    return connection.execute(query).all()


def read_pauses(connection: sa.Connection, until: datetime) -> dict[str, float]:
    """Return the longest pause but one between the starts of each component's runs, in seconds.

    One pause is forgiven, so that an outage does not become the rule. Of a component that runs
    nights only the days are pauses, of one that rests on weekends the weekends. Runs begun within
    five minutes count as one; components with less than three pauses are left out.

    Args:
        connection: to the database.
        until: look at runs begun before.
    """
    run, sparse = component_run.alias("run"), component_run.alias("sparse")
    moment = _round(run.c.started_at).label("moment")
    last_runs = _find_newest(
        sparse, sparse.c.started_at, where=sparse.c.started_at < until, limit=_SPARSE_RUNS
    )
    moments = sa.union(
        sa.select(run.c.component, moment).where(
            run.c.started_at >= until - PAUSES_WITHIN, run.c.started_at < until
        ),
        sa.select(component.c.name, _round(last_runs.c.started_at)).select_from(
            component.join(last_runs, sa.true())
        ),
    ).subquery("moments")
    before = sa.func.lag(moments.c.moment).over(
        partition_by=moments.c.component, order_by=moments.c.moment
    )
    pause = sa.func.extract("epoch", moments.c.moment - before).label("pause_s")
    pauses = sa.select(moments.c.component, pause).subquery("pauses")
    rank = sa.func.row_number().over(
        partition_by=pauses.c.component, order_by=pauses.c.pause_s.desc()
    )
    total = sa.func.count().over(partition_by=pauses.c.component)
    ranked = (
        sa.select(pauses, rank.label("rank"), total.label("total"))
        .where(pauses.c.pause_s.is_not(None))
        .subquery("ranked")
    )
    query = sa.select(ranked.c.component, ranked.c.pause_s).where(
        ranked.c.rank == 2,  # noqa: PLR2004 - the longest but one
        ranked.c.total >= PAUSES_NEEDED,
    )
    return {name: float(pause_s) for name, pause_s in connection.execute(query)}


def read_flags(connection: sa.Connection) -> Sequence[Row]:
    """Return how many outputs of each component are flagged, and since when the first one is.

    Columns: ``component``, which is None for outputs that no run wrote, ``total``, ``oldest``.
    """
    query = (
        sa.select(
            component_run.c.component,
            sa.func.count().label("total"),
            sa.func.min(flag.c.flagged_at).label("oldest"),
        )
        .select_from(flag.outerjoin(component_run, component_run.c.id == flag.c.run_id))
        .where(flag.c.resolved_at.is_(None))
        .group_by(component_run.c.component)
    )
    return connection.execute(query).all()


def read_last_dead_letter(connection: sa.Connection) -> datetime | None:
    """Return when a span was last received that could not be stored."""
    query = sa.select(dead_letter.c.received_at).order_by(dead_letter.c.id.desc()).limit(1)
    return connection.scalar(query)


def _find_newest(
    run: sa.FromClause,
    *columns: sa.ColumnElement[Any],
    where: sa.ColumnElement[bool] | None = None,
    limit: int = 1,
) -> sa.FromClause:
    query = sa.select(*columns).where(run.c.component == component.c.name)
    if where is not None:
        query = query.where(where)
    newest_first = (run.c.started_at.desc(), run.c.id.desc())
    return query.order_by(*newest_first).limit(limit).correlate(component).lateral()


def _round(moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[datetime]:
    origin: sa.ColumnElement[datetime] = sa.literal_column("timestamptz '1970-01-01 00:00:00+00'")
    return sa.func.date_bin(sa.cast(_RESOLUTION, sa.Interval), moment, origin)
