"""What a reader chooses on a dashboard, and what is marked on its graphs."""

from collections.abc import Mapping

from mltrace_dashboards.asking import POSTGRES, PROMETHEUS, ask_postgres, refer
from mltrace_dashboards.fields import FAILED, RUNNING, STALE
from mltrace_dashboards.model import Json

DEFAULT_PANEL_URL = "http://localhost:8080"
PANEL_VARIABLE = "panel_url"
_CHOICES_LIMIT = 1000


def _choose_source(name: str, label: str) -> Json:
    return {
        "name": name,
        "type": "datasource",
        "label": label,
        "description": "Any data source of the type will do.",
        "query": refer(name)["type"],
        "regex": "",
        "refresh": 1,
        "multi": False,
        "includeAll": False,
        "hide": 0,
        "options": [],
    }


SOURCES: tuple[Json, ...] = (
    _choose_source(PROMETHEUS, "Prometheus"),
    _choose_source(POSTGRES, "PostgreSQL"),
    {
        # Grafana puts no environment variable into a dashboard: this is written when it is built.
        "name": PANEL_VARIABLE,
        "type": "constant",
        "label": "Web panel",
        "description": "Address of mltrace's web panel, where links to runs lead.",
        "query": DEFAULT_PANEL_URL,
        "hide": 2,
        "skipUrlSync": True,
    },
)


def choose(name: str, label: str, sql: str, *, many: bool = False) -> Json:
    """Return a variable whose values are the first column of a query's answer.

    Args:
        name: of the variable.
        label: what people read.
        sql: the query; of variables that stand before, one value is ``${name:sqlstring}``.
        many: whether several may be chosen, at first all; otherwise any other value may be typed.
    """
    return {
        "name": name,
        "type": "query",
        "label": label,
        "datasource": refer(POSTGRES),
        "query": sql,
        "refresh": 2,
        "regex": "",
        "sort": 0,
        "multi": many,
        "includeAll": many,
        "allowCustomValue": not many,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if many else {},
        "hide": 0,
        "options": [],
    }


_SELECT_COMPONENTS = (
    f"SELECT component FROM mltrace_ro.components ORDER BY component LIMIT {_CHOICES_LIMIT}"
)
COMPONENTS = choose("component", "Component", _SELECT_COMPONENTS, many=True)
COMPONENT = choose("component", "Component", _SELECT_COMPONENTS)
PHASES: Json = {
    "name": "phase",
    "type": "custom",
    "label": "Phase",
    "query": "before,after",
    "multi": True,
    "includeAll": True,
    "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    "hide": 0,
    "options": [],
}
OUTPUT = choose(
    "output",
    "Output",
    "SELECT output FROM (SELECT output, started_at FROM mltrace_ro.outputs"
    " WHERE component = ${component:sqlstring} ORDER BY started_at DESC, run_id DESC"
    f" LIMIT {_CHOICES_LIMIT}) AS newest GROUP BY output ORDER BY max(started_at) DESC, output",
)
"""The newest outputs of the component; any other may be typed."""


def _mark(name: str, colour: str, sql: str) -> Json:
    target = ask_postgres(sql)
    return {
        "name": name,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "datasource": target.render_source(),
        "target": target.render(0),
    }


_OF_CHOSEN = "component IN (${component:sqlstring})"
_MARKS: Mapping[str, tuple[str, str]] = {
    "Failed tests": (
        FAILED,
        (
            "SELECT started_at AS time, component || ': ' || suite || '.' || test ||"
            " coalesce(': ' || message, '') AS text, 'failed test,' || component AS tags"
            " FROM mltrace_ro.test_outcomes WHERE $__timeFilter(started_at)"
            " AND outcome IN ('failed', 'errored') AND {condition}"
            " ORDER BY started_at DESC LIMIT 200"
        ),
    ),
    # Outputs that were flagged together make one mark.
    "Flags": (
        STALE,
        (
            "SELECT flagged_at AS time, min(output) ||"
            " CASE WHEN count(*) > 1 THEN ' and ' || (count(*) - 1) || ' more' ELSE '' END ||"
            " coalesce(': ' || reason, '') AS text, 'flag,' || coalesce(component, '') AS tags"
            " FROM mltrace_ro.flagged_outputs WHERE $__timeFilter(flagged_at) AND {condition}"
            " GROUP BY flagged_at, reason, component ORDER BY flagged_at DESC LIMIT 200"
        ),
    ),
    "New code": (
        RUNNING,
        (
            "SELECT started_at AS time, 'New code of ' || component ||"
            " coalesce(', commit ' || left(git_hash, 8), '') AS text,"
            " 'new code,' || component AS tags FROM mltrace_ro.component_history"
            " WHERE $__timeFilter(started_at) AND (code_changed OR git_changed) AND {condition}"
            " ORDER BY started_at DESC LIMIT 200"
        ),
    ),
}


def mark_chosen() -> list[Json]:
    """Return the marks on time axes: failed tests, flags and new code of the chosen components."""
    return [
        _mark(name, colour, sql.format(condition=_OF_CHOSEN))
        for name, (colour, sql) in _MARKS.items()
    ]


def mark_troubles() -> list[Json]:
    """Return the marks of all components, without new code, for which all runs are looked at."""
    return [
        _mark(name, colour, sql.format(condition="true"))
        for name, (colour, sql) in _MARKS.items()
        if name != "New code"
    ]
