"""The queries of the views in `views`, from the same rules as the answers of the HTTP API."""

from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import edges_of, is_direction, select_last_writer
from mltrace_exporter.store.lineage.staleness import select_dependencies
from mltrace_exporter.store.liveness import shown_end, shown_execution
from mltrace_exporter.store.schema import (
    component,
    component_run,
    flag,
    io_pointer,
    is_failed_test,
    is_skipped_test,
    metric_value,
    profile,
    run_io,
    test_result,
    whole_name,
)

NODE_LIMIT = 1500
_COVERAGE_EDGES = 20_000
_FIGURES = (
    *("null_ratio", "minimum", "maximum", "mean", "stddev"),
    *("p5", "p25", "p50", "p75", "p95"),
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
    run, verdict = component_run, _judge(component_run)
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        component.c.owner,
        component.c.tags,
        run.c.started_at,
        shown_end(run).label("ended_at"),
        _measure(run).label("duration_s"),
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
    run, verdict = component_run, _judge(component_run)
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
        _measure(run).label("duration_s"),
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


def select_staleness() -> _Rows:
    """Return the query of ``staleness``."""
    run = component_run.alias("newest_run")
    newest = (
        sa.select(run.c.id)
        .where(run.c.component == component.c.name)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(1)
        .lateral("newest")
    )
    edge = edges_of(newest.c.id)
    asked = (
        sa.select(
            newest.c.id.label("consumer"),
            edge.c.producer_id.label("producer"),
            edge.c.written_id.label("pointer"),
        )
        .select_from(component.join(newest, sa.true()).join(edge, edge.c.may_be_stale))
        .cte("asked")
    )
    found = select_dependencies(asked).cte("found")
    consumer = component_run.alias("stale_run")
    is_old, is_replaced = found.c.age_s > found.c.threshold_s, found.c.fresher_count > 0
    reason = sa.values(sa.column("kind", sa.Text), name="reason").data(
        [("old_input",), ("fresher_run",)]
    )
    holds = sa.case((reason.c.kind == "old_input", is_old), else_=is_replaced)
    return sa.select(
        found.c.consumer_id.label("run_id"),
        consumer.c.component,
        consumer.c.started_at,
        reason.c.kind,
        found.c.producer_id.label("dependency_id"),
        found.c.component.label("dependency_component"),
        found.c.age_s,
        found.c.threshold_s,
        found.c.fresher_count,
    ).select_from(found.join(consumer, consumer.c.id == found.c.consumer_id).join(reason, holds))


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


def select_profiles() -> _Rows:
    """Return the query of ``output_profiles``."""
    run = component_run
    columns: list[sa.ColumnClause[Any]] = [
        *(sa.column(name, sa.Text) for name in ("name", "kind")),
        *(sa.column(name, sa.BigInteger) for name in ("nulls", "distinct")),
        *(sa.column(name, sa.Double) for name in _FIGURES),
    ]
    figure = sa.func.jsonb_to_recordset(profile.c.figures).table_valued(*columns)
    figure = figure.render_derived("figure", with_types=True)
    return (
        sa.select(
            run.c.id.label("run_id"),
            run.c.component,
            run.c.started_at,
            profile.c.variable,
            profile.c.pointer.label("output"),
            figure.c.name.label("column_name"),
            figure.c.kind,
            profile.c.rows,
            profile.c.looked_at,
            figure.c.nulls,
            figure.c.null_ratio,
            figure.c.minimum.label("min"),
            figure.c.maximum.label("max"),
            *(figure.c[name] for name in _FIGURES[3:]),
            figure.c.distinct.label("distinct_estimate"),
        )
        .select_from(run.join(profile, profile.c.run_id == run.c.id).join(figure, sa.true()))
        .where(profile.c.direction == "output")
    )


def select_metrics() -> _Rows:
    """Return the query of ``run_metrics``."""
    run = component_run
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        metric_value.c.name.label("metric"),
        metric_value.c.value,
        metric_value.c.is_output,
    ).join_from(run, metric_value, metric_value.c.run_id == run.c.id)


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
    run, verdict = component_run, _judge(component_run)
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


def select_outputs() -> _Rows:
    """Return the query of ``outputs``."""
    run = component_run
    return sa.select(
        run.c.id.label("run_id"),
        run.c.component,
        run.c.started_at,
        io_pointer.c.name.label("output"),
        run_io.c.type,
    ).select_from(
        run.join(
            run_io, sa.and_(run_io.c.run_id == run.c.id, is_direction(run_io, "output"))
        ).outerjoin(io_pointer, io_pointer.c.id == run_io.c.pointer_id)
    )


def select_nodes() -> _Rows:
    """Return the query of ``lineage_nodes``."""
    run, nodes = component_run, _select_lineage()
    verdict = _judge(run)
    shown = shown_execution(run)
    tests = sa.func.concat(shown, ", ", verdict.c.failed_tests, " failed test(s)")
    color = sa.case(
        (sa.or_(shown == "error", verdict.c.failed_tests > 0), "red"),
        (shown == "ok", "green"),
        else_="yellow",
    )
    utc = sa.func.timezone("UTC", run.c.started_at)
    return sa.select(
        sa.cast(run.c.id, sa.Text).label("id"),
        run.c.component.label("title"),
        sa.func.to_char(utc, "YYYY-MM-DD HH24:MI:SS", type_=sa.Text).label("subtitle"),
        sa.case((verdict.c.failed_tests > 0, tests), else_=shown).label("mainstat"),
        sa.func.concat(
            sa.func.round(sa.cast(_measure(run), sa.Numeric), 1), " s", type_=sa.Text
        ).label("secondarystat"),
        color.label("color"),
        run.c.git_hash.label("detail__git_hash"),
        run.c.partition.label("detail__partition"),
        component.c.owner.label("detail__owner"),
    ).select_from(
        nodes.join(run, run.c.id == nodes.c.id)
        .outerjoin(component, component.c.name == run.c.component)
        .join(verdict, sa.true())
    )


def select_edges() -> _Rows:
    """Return the query of ``lineage_edges``."""
    nodes = _select_lineage()
    inside = nodes.alias("inside")
    edge = edges_of(nodes.c.id)
    count, changed = sa.func.count(), sa.func.bool_or(edge.c.changed)
    name = sa.func.min(io_pointer.c.name)
    several = sa.func.concat(count, " inputs", type_=sa.Text)
    number = sa.func.row_number().over(order_by=(edge.c.producer_id, nodes.c.id))
    return (
        sa.select(
            sa.cast(number, sa.Text).label("id"),
            sa.cast(edge.c.producer_id, sa.Text).label("source"),
            sa.cast(nodes.c.id, sa.Text).label("target"),
            sa.case((count > 1, several), else_=sa.func.coalesce(name, "declared")).label(
                "mainstat"
            ),
            sa.func.min(edge.c.rule, type_=sa.Text).label("secondarystat"),
            sa.case((changed, "red"), else_=sa.cast(sa.null(), sa.Text)).label("color"),
        )
        .select_from(
            nodes.join(edge, sa.true())
            .join(inside, inside.c.id == edge.c.producer_id)
            .outerjoin(io_pointer, io_pointer.c.id == edge.c.pointer_id)
        )
        .group_by(edge.c.producer_id, nodes.c.id)
    )


def _select_lineage() -> sa.CTE:
    """The run that last wrote the output that the function was asked for, and its ancestors."""
    asked = sa.literal_column("$1", sa.Text)
    pointer = (
        sa.select(io_pointer.c.id)
        .where(whole_name == sa.func.lower(sa.func.left(asked.collate("C"), 200)))
        .where(io_pointer.c.name == asked)
        .scalar_subquery()
    )
    root = select_last_writer(pointer).subquery("root")
    upstream = sa.select(root.c.id).cte("upstream", recursive=True)
    edge = edges_of(upstream.c.id)
    upstream = upstream.union(
        sa.select(edge.c.producer_id).select_from(upstream.join(edge, sa.true()))
    )
    return sa.select(upstream.c.id).limit(NODE_LIMIT).cte("nodes")


def _measure(run: sa.Table) -> sa.ColumnElement[float]:
    return sa.cast(sa.func.extract("epoch", shown_end(run) - run.c.started_at), sa.Double)


def _judge(run: sa.Table) -> sa.FromClause:
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
