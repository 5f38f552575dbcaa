"""Outputs: how the values that a component makes are spread, and whether that changed."""

from mltrace_dashboards.asking import ask_over_time, ask_postgres, ask_prometheus
from mltrace_dashboards.choices import COMPONENT, SOURCES, choose, mark_chosen
from mltrace_dashboards.fields import (
    LOOK_ABOVE_ZERO,
    OK,
    PLAIN,
    RUN,
    STALE,
    STARTED,
    link_run,
    show_field,
    step,
)
from mltrace_dashboards.model import Dashboard, Panel, Row, Strip, Target
from mltrace_dashboards.panels import (
    show_bars,
    show_heatmap,
    show_series,
    show_stat,
    show_table,
    tell,
)

_PROFILED = (
    "Filled once the component gives data frames, arrays or numbers, of which a profile is kept."
)
_LOGGED = "Filled once the component gives numbers, or logs some with log_metric."
_OF_COMPONENT = "component = ${component:sqlstring}"
_NEWEST = (
    f"FROM mltrace_ro.output_profiles WHERE {_OF_COMPONENT} ORDER BY started_at DESC LIMIT 2000"
)
_NUMBERS_FIRST = "ORDER BY bool_or(kind = 'numeric') DESC"
_VARIABLES = choose(
    "variable",
    "Variable",
    f"SELECT variable FROM (SELECT variable, kind {_NEWEST}) AS newest"
    f" GROUP BY variable {_NUMBERS_FIRST}, variable",
)
_COLUMNS = choose(
    "column",
    "Column",
    f"SELECT column_name FROM (SELECT variable, column_name, kind {_NEWEST}) AS newest"
    " WHERE variable = ${variable:sqlstring}"
    f" GROUP BY column_name {_NUMBERS_FIRST}, column_name",
)
_CHOSEN = (
    f"{_OF_COMPONENT} AND variable = ${{variable:sqlstring}}"
    " AND column_name = ${column:sqlstring}"
)
_SCORED = "Filled once there is a run with a profile before the newest one."
_OF = 'component="$component"'
_SERIES = f'{_OF}, output="$variable", column="$column"'
_BY = "max by (output, column, method)"
_OPEN_RUN = [link_run()]


def _compare(series: str) -> str:
    """Return scores in thresholds; that of the output as a whole, which has no column, is told.

    Where runs never differed, the threshold may be 0, and any score is far above it.
    """
    score, threshold = (
        f"{_BY} (mltrace_output_drift_{name}{{{series}}})" for name in ("score", "threshold")
    )
    ratio = f"{score} / clamp_min({threshold}, 0.001)"
    return f'label_replace({ratio}, "column", "as a whole", "column", "")'


def _ask_runs(figures: str) -> Target:
    columns = f"{figures}, run_id::text AS run_id"
    return ask_over_time(columns, "output_profiles", _CHOSEN)


def _tell_newest(title: str, description: str, column: str, unit: str = "short") -> Panel:
    return show_stat(
        title,
        f"{description} {_PROFILED}",
        ask_postgres(
            f"SELECT {column} FROM mltrace_ro.output_profiles WHERE {_CHOSEN}"
            " ORDER BY started_at DESC, run_id DESC LIMIT 1"
        ),
        unit=unit,
        thresholds=PLAIN,
        no_value="no profile",
    )


_HEADLINE = [
    show_stat(
        "Drifted columns",
        "Columns of the component's outputs that differ in the newest run from the runs before, at"
        " most ten, by more than chance and what is usual. `mltrace drift` with the run says how.",
        f"count(max by (output, column) ({_BY} (mltrace_output_drift_score{{{_OF}}})"
        f" > {_BY} (mltrace_output_drift_threshold{{{_OF}}}))) or vector(0)",
        thresholds=LOOK_ABOVE_ZERO,
    ),
    _tell_newest("Rows", "How many rows the newest run wrote.", "rows"),
    _tell_newest(
        "Missing", "Share of missing values, of the newest run.", "null_ratio", "percentunit"
    ),
    _tell_newest("Median", "Half of the newest run's values are below it.", "p50"),
    _tell_newest(
        "95th percentile", "All but a twentieth of the newest run's values are below it.", "p95"
    ),
]
_QUANTILES = show_series(
    "Distribution, run by run",
    "How the values of the chosen column were spread in each run: median, quartiles, and the middle"
    f" nine tenths. A click on a point opens the run. {_PROFILED}",
    [_ask_runs("p5, p25, p50, p75, p95")],
    points=True,
    links=_OPEN_RUN,
    lowest=None,
)
_MEAN = show_series(
    "Mean, run by run",
    f"Mean and standard deviation of the chosen column. {_PROFILED}",
    [_ask_runs("mean, stddev")],
    points=True,
    links=_OPEN_RUN,
    lowest=None,
)
_VALUES = show_heatmap(
    "Values, as metrics have them",
    "How the values of the chosen column were spread over time, of all runs that ended then."
    f" Buckets are chosen from its first run. {_PROFILED}",
    ask_prometheus(
        f"max by (le) (increase(mltrace_output_value_bucket{{{_SERIES}}}[$__rate_interval]))",
        "{{le}}",
        form="heatmap",
    ),
)
_NOW = show_series(
    "Quantiles over time",
    f"Quantiles of the chosen column in the newest run, as alerts see them. {_PROFILED}",
    [
        ask_prometheus(
            f"max by (quantile) (mltrace_output_quantile{{{_SERIES}}})", "quantile {{quantile}}"
        )
    ],
    lowest=None,
)
_DRIFT = show_bars(
    "Drift against its threshold",
    "How far the newest run's outputs differ from the runs before, at most ten, in thresholds: from"
    f" 1 on it is drift, and alerts. {_SCORED}",
    ask_prometheus(f"topk(20, {_compare(_OF)})", "{{output}} {{column}}: {{method}}", instant=True),
    unit="short",
    thresholds=step((None, OK), (1, STALE)),
)
_DRIFTING = show_series(
    "Drift over time",
    "The same for the chosen variable, over time: what creeps up is on its way to an alert."
    f" {_SCORED}",
    [ask_prometheus(_compare(f'{_OF}, output="$variable"'), "{{column}}: {{method}}")],
)
_MISSING = show_series(
    "Missing values, run by run",
    f"Share of missing values of the chosen column. {_PROFILED}",
    [_ask_runs("null_ratio AS missing")],
    unit="percentunit",
    points=True,
    links=_OPEN_RUN,
)
_ROWS = show_series(
    "Rows, run by run",
    f"How many rows each run wrote. {_PROFILED}",
    [_ask_runs("rows")],
    points=True,
    links=_OPEN_RUN,
)
_METRICS = show_series(
    "Numbers, run by run",
    "What runs logged, and the numbers that the component gave. The newest 5,000 at most."
    f" {_LOGGED}",
    [ask_over_time("metric, value", "run_metrics", _OF_COMPONENT, limit=5000, form="time_series")],
    points=True,
    lowest=None,
)
_LATEST = show_table(
    "What runs logged",
    f"The newest 200 numbers, newest first. {_LOGGED}",
    ask_postgres(
        f"SELECT run_id, metric, value, is_output, started_at FROM mltrace_ro.run_metrics"
        f" WHERE {_OF_COMPONENT} ORDER BY started_at DESC, run_id DESC, metric LIMIT 200"
    ),
    overrides=[RUN, STARTED, show_field("is_output", displayName="given by the function")],
)
_PROFILES = show_table(
    "Columns of the newest run that has a profile",
    f"Each column of each variable that it wrote, in figures. {_PROFILED}",
    ask_postgres(
        "SELECT run_id, variable, column_name, kind, rows, null_ratio, min, p5, p50, p95, max,"
        " mean, distinct_estimate, started_at FROM mltrace_ro.output_profiles"
        f" WHERE {_OF_COMPONENT} AND run_id = (SELECT run_id FROM mltrace_ro.output_profiles"
        f" WHERE {_OF_COMPONENT} ORDER BY started_at DESC, run_id DESC LIMIT 1)"
        " ORDER BY variable, column_name LIMIT 1000"
    ),
    overrides=[
        *(RUN, STARTED),
        show_field("column_name", displayName="column"),
        show_field("null_ratio", displayName="missing", unit="percentunit"),
        show_field("distinct_estimate", displayName="different values"),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-outputs",
    title="mltrace / Outputs",
    description="How the values that a component makes are spread, and whether that changed.",
    rows=[
        Row(
            "",
            [
                Strip(4, list(zip((4, 5, 5, 5, 5), _HEADLINE, strict=True))),
                Strip(9, [(12, _QUANTILES), (12, _VALUES)]),
                Strip(9, [(12, _DRIFT), (12, _DRIFTING)]),
                Strip(7, [(8, _MISSING), (8, _ROWS), (8, _MEAN)]),
                Strip(10, [(24, _PROFILES)]),
            ],
        ),
        Row("Numbers", [Strip(9, [(12, _METRICS), (12, _LATEST)])]),
        Row("As alerts see it", [Strip(8, [(24, _NOW)])], collapsed=True),
        tell(
            "Choose a component, one of the variables that it gives, and a column. Each point is a"
            " run: what drifts away slowly, jumps, or goes missing shows here before anybody"
            " complains. Vertical lines are failed tests, flags and new code: what changed at one"
            " of them has its reason there."
        ),
    ],
    variables=[*SOURCES, COMPONENT, _VARIABLES, _COLUMNS],
    annotations=mark_chosen(),
    start="now-7d",
)
