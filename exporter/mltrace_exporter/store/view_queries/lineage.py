"""Who depends on whom, and whose dependencies are stale."""

import sqlalchemy as sa

from mltrace_exporter.store.lineage.edges import edges_of, select_last_writer
from mltrace_exporter.store.lineage.staleness import select_dependencies
from mltrace_exporter.store.liveness import shown_execution
from mltrace_exporter.store.schema import component, component_run, io_pointer, whole_name
from mltrace_exporter.store.view_queries.runs import judge_tests, measure_duration

NODE_LIMIT = 1500

_Rows = sa.Select[tuple[object, ...]]


def select_staleness() -> _Rows:
    """Return the query of ``staleness``."""
    run = component_run.alias("newest_run")
    newest = (
        sa.select(run.c.id)
        .where(run.c.component == component.c.name)
        .order_by(run.c.started_at.desc(), run.c.id.desc())
        .limit(1)
        .correlate(component)
        .lateral("newest")
    )
    edge = edges_of(newest.c.id)
    asked = (
        sa.select(
            newest.c.id.label("consumer"),
            edge.c.producer_id.label("producer"),
            edge.c.written_id.label("pointer"),
        )
        .select_from(newest.join(edge, edge.c.may_be_stale))
        .correlate(component)
        .subquery("asked")
    )
    # For each component by itself, so that who asks for one waits for one. OFFSET: fresher runs
    # would be counted for the condition, and again for the row.
    once = select_dependencies(asked).offset(sa.literal_column("0"))
    found = once.correlate(component).lateral("found")
    consumer = component_run.alias("stale_run")
    is_old, is_replaced = found.c.age_s > found.c.threshold_s, found.c.fresher_count > 0
    reason = sa.values(sa.column("kind", sa.Text), name="reason").data(
        [("old_input",), ("fresher_run",)]
    )
    holds = sa.case((reason.c.kind == "old_input", is_old), else_=is_replaced)
    return sa.select(
        found.c.consumer_id.label("run_id"),
        component.c.name.label("component"),
        consumer.c.started_at,
        reason.c.kind,
        found.c.producer_id.label("dependency_id"),
        found.c.component.label("dependency_component"),
        found.c.age_s,
        found.c.threshold_s,
        found.c.fresher_count,
    ).select_from(
        component.join(found, sa.true())
        .join(consumer, consumer.c.id == found.c.consumer_id)
        .join(reason, holds)
    )


def select_nodes() -> _Rows:
    """Return the query of ``lineage_nodes``."""
    run, nodes = component_run, _select_lineage()
    verdict = judge_tests(run)
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
            sa.func.round(sa.cast(measure_duration(run), sa.Numeric), 1), " s", type_=sa.Text
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
