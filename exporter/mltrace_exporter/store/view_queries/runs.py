"""Runs, what they tested, and their components."""

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import is_direction
from mltrace_exporter.store.liveness import shown_end, shown_execution
from mltrace_exporter.store.schema import (
    component,
    component_run,
    is_failed_test,
    is_skipped_test,
    run_io,
    test_result,
)

_Rows = sa.Select[tuple[object, ...]]


def select_components() -> _Rows:
    """Return the query of ``components``."""
    return sa.select(
        component.c.name.label("component"),
        component.c.owner,
        component.c.description,
        component.c.tags,
    )


def select_runs() -> _Rows:
    """Return the query of ``recent_runs``."""
    run, verdict = component_run, judge_tests(component_run)
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        component.c.owner,
        component.c.tags,
        run.c.started_at,
        shown_end(run).label("ended_at"),
        measure_duration(run).label("duration_s"),
        shown_execution(run).label("execution"),
        verdict.c.tests,
        verdict.c.failed_tests,
        run.c.message,
        run.c.partition,
        run.c.git_hash,
        run.c.resource["service.name"].astext.label("service_name"),
        sa.func.encode(run.c.trace_id, "hex").label("trace_id"),
        sa.func.encode(run.c.span_id, "hex").label("span_id"),
    ).select_from(
        # Outer joins, though nothing is missing: PostgreSQL leaves out those that nobody asks for.
        run.outerjoin(component, component.c.name == run.c.component).outerjoin(verdict, sa.true())
    )


def select_history() -> _Rows:
    """Return the query of ``component_history``."""
    run, verdict = component_run, judge_tests(component_run)
    earlier, before = component_run.alias("earlier"), component_run.alias("before")
    # Joined by its key, so that PostgreSQL leaves it out where nobody asks for it.
    before_id = (
        sa.select(earlier.c.id)
        .where(earlier.c.component == run.c.component, earlier.c.started_at < run.c.started_at)
        .order_by(earlier.c.started_at.desc(), earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    apart = sa.func.extract("epoch", run.c.started_at - before.c.started_at)
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        shown_end(run).label("ended_at"),
        measure_duration(run).label("duration_s"),
        shown_execution(run).label("execution"),
        verdict.c.tests,
        run.c.partition,
        _count_io(run, "input"),
        _count_io(run, "output"),
        run.c.git_hash,
        before.c.id.label("run_before_id"),
        sa.cast(apart, sa.Double).label("since_run_before_s"),
        sa.func.coalesce(run.c.code_hash != before.c.code_hash, sa.false()).label("code_changed"),
        sa.func.coalesce(run.c.git_hash != before.c.git_hash, sa.false()).label("git_changed"),
    ).select_from(run.outerjoin(verdict, sa.true()).outerjoin(before, before.c.id == before_id))


def select_tests() -> _Rows:
    """Return the query of ``test_outcomes``."""
    run, test = component_run, test_result
    outcome = sa.case(
        (test.c.status == "pass", "passed"),
        (test.c.status == "error", "errored"),
        (is_skipped_test, "skipped"),
        else_="failed",
    )
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        test.c.suite,
        test.c["case"].label("test"),
        test.c.phase,
        outcome.label("outcome"),
        test.c.message,
        test.c.duration_s,
    ).join_from(run, test, test.c.run_id == run.c.id)


def measure_duration(run: sa.Table) -> sa.ColumnElement[float]:
    """Return how long a run took, in seconds."""
    return sa.cast(sa.func.extract("epoch", shown_end(run) - run.c.started_at), sa.Double)


def judge_tests(run: sa.Table) -> sa.FromClause:
    """Return as a lateral what a run's tests found: tests, a word, and failed_tests, a number."""
    failed = sa.func.count().filter(is_failed_test)
    tests = sa.func.count().filter(~is_skipped_test)
    verdict = sa.case((failed > 0, "failed"), (tests > 0, "passed"), else_="none")
    return (
        sa.select(verdict.label("tests"), failed.label("failed_tests"))
        .where(test_result.c.run_id == run.c.id)
        .lateral("verdict")
    )


def _count_io(run: sa.Table, direction: str) -> sa.Label[int]:
    return (
        sa.select(sa.func.count())
        .where(run_io.c.run_id == run.c.id, is_direction(run_io, direction))
        .correlate(run)
        .scalar_subquery()
        .label(f"{direction}_count")
    )
