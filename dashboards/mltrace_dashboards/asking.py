"""Queries of panels: of Prometheus, and of the views in PostgreSQL that are made for dashboards."""

from mltrace_dashboards.model import Json, Target

PROMETHEUS = "prometheus_datasource"
POSTGRES = "postgres_datasource"
PROMETHEUS_KIND = "prometheus"
POSTGRES_KIND = "grafana-postgresql-datasource"


def ask_prometheus(
    expression: str,
    legend: str = "",
    *,
    instant: bool = False,
    form: str = "time_series",
    exemplar: bool = False,
) -> Target:
    """Return a PromQL query.

    Args:
        expression: the query.
        legend: what a series is called, with labels as ``{{label}}``.
        instant: whether only the newest value is asked for.
        form: ``time_series``, ``table`` or ``heatmap``.
        exemplar: whether single runs are shown on it, as links.
    """
    query: dict[str, object] = {
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
        "exemplar": exemplar,
        "format": form,
        "editorMode": "code",
    }
    return Target(PROMETHEUS, PROMETHEUS_KIND, query)


def ask_postgres(sql: str, *, form: str = "table", ref: str = "") -> Target:
    """Return a SQL query: of the views in ``mltrace_ro`` only.

    Args:
        sql: the query; Grafana's macros in it take plain columns, no functions.
        form: ``table``, or ``time_series`` with columns ``time``, ``metric`` and a number.
        ref: the query's name, where the panel wants a certain one.
    """
    query: dict[str, object] = {
        "rawSql": sql,
        "rawQuery": True,
        "editorMode": "code",
        "format": form,
    }
    return Target(POSTGRES, POSTGRES_KIND, query, ref)


def ask_over_time(
    columns: str, view: str, condition: str, *, limit: int = 2000, form: str = "table"
) -> Target:
    """Return a query for the newest rows of the time range, in the order of time.

    Args:
        columns: what is selected beside ``time``.
        view: of which view.
        condition: which rows, beside the time range.
        limit: how many.
        form: see `ask_postgres`.
    """
    newest = (
        f"SELECT * FROM mltrace_ro.{view} WHERE {condition} AND $__timeFilter(started_at)"
        f" ORDER BY started_at DESC LIMIT {limit}"
    )
    sql = f"SELECT started_at AS time, {columns} FROM ({newest}) AS newest ORDER BY started_at"
    return ask_postgres(sql, form=form)


def refer(source: str) -> Json:
    """Return the reference to the data source that one of the two variables chooses."""
    kind = PROMETHEUS_KIND if source == PROMETHEUS else POSTGRES_KIND
    return {"type": kind, "uid": f"${{{source}}}"}
