"""Flagged outputs, and the runs behind them."""

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import edges_of
from mltrace_exporter.store.liveness import shown_execution
from mltrace_exporter.store.schema import component_run, flag, io_pointer
from mltrace_exporter.store.view_queries.runs import judge_tests

_COVERAGE_EDGES = 20_000

_Rows = sa.Select[tuple[object, ...]]


def select_flags() -> _Rows:
    """Return the query of ``flagged_outputs``."""
    return sa.select(
        flag.c.id.label("flag_id"),
        io_pointer.c.name.label("output"),
        flag.c.run_id,
        component_run.c.component,
        flag.c.severity,
        flag.c.reason,
        flag.c.flagged_by,
        flag.c.flagged_at,
        flag.c.resolved_at.is_(None).label("is_open"),
        flag.c.resolved_at,
        flag.c.resolved_by,
        flag.c.resolution,
    ).select_from(
        flag.join(io_pointer, io_pointer.c.id == flag.c.pointer_id).outerjoin(
            component_run, component_run.c.id == flag.c.run_id
        )
    )


def select_coverage() -> _Rows:
    """Return the query of ``flag_coverage``."""
    newest = (
        sa.select(flag.c.run_id)
        .where(flag.c.resolved_at.is_(None), flag.c.run_id.is_not(None))
        .order_by(flag.c.id.desc())
        .limit(sa.literal_column("$1", sa.Integer))
        .cte("newest")
    )
    flagged = sa.select(newest.c.run_id, sa.func.count().label("outputs")).group_by(newest.c.run_id)
    roots = flagged.cte("roots")
    behind = _select_behind(roots)
    total = sa.select(sa.func.count()).select_from(newest).scalar_subquery()
    found = (
        sa.select(behind.c.run_id, sa.func.sum(roots.c.outputs).label("flagged_with"))
        .join(roots, roots.c.run_id == behind.c.root_id)
        .group_by(behind.c.run_id)
        .cte("found")
    )
    run, verdict = component_run, judge_tests(component_run)
    flagged_with = sa.cast(found.c.flagged_with, sa.BigInteger)
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        shown_execution(run).label("execution"),
        verdict.c.tests,
        flagged_with.label("flagged_with"),
        total.label("flagged_total"),
        (sa.cast(flagged_with, sa.Double) / total).label("coverage"),
    ).select_from(found.join(run, run.c.id == found.c.run_id).join(verdict, sa.true()))


def _select_behind(roots: sa.CTE) -> sa.CTE:
    """Each root with itself and every run upstream of it: edges are found once for all roots."""
    nobody = sa.cast(sa.null(), sa.BigInteger).label("consumer_id")
    walked = sa.select(nobody, roots.c.run_id.label("producer_id")).cte("walked", recursive=True)
    level = sa.select(walked.c.producer_id.label("id")).distinct().subquery("level")
    edge = edges_of(level.c.id)
    walked = walked.union(
        sa.select(level.c.id, edge.c.producer_id).select_from(level.join(edge, sa.true()))
    )
    edges = sa.select(walked).limit(_COVERAGE_EDGES).cte("edges")
    behind = sa.select(roots.c.run_id.label("root_id"), roots.c.run_id)
    reached = behind.cte("behind", recursive=True)
    return reached.union(
        sa.select(reached.c.root_id, edges.c.producer_id).join(
            edges, edges.c.consumer_id == reached.c.run_id
        )
    )
