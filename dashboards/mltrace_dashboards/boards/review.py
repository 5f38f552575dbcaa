"""Review: which outputs people flagged, and which runs they have in common."""

from mltrace_dashboards.asking import ask_postgres, ask_prometheus
from mltrace_dashboards.choices import SOURCES, mark_troubles
from mltrace_dashboards.fields import (
    COMPONENT,
    EXECUTION,
    LINK_SERIES,
    LOOK_ABOVE_ZERO,
    PLAIN,
    RUN,
    STARTED,
    TESTS,
    colour_field,
    link,
    link_lineage,
    link_output,
    link_trace,
    show_field,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import show_bars, show_series, show_stat, show_table, tell

_FLAG_LIMIT = 200
_REVIEW = link("Open the review", "${panel_url}/review", outside=True)

_OPEN = show_stat(
    "Flagged outputs",
    "Outputs that people flagged as wrong and nobody has resolved.",
    "sum(max by (component) (mltrace_component_flagged_outputs)) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[_REVIEW],
)
_OLDEST = show_stat(
    "Oldest flag",
    "For how long the oldest flag has waited for somebody to resolve it.",
    "time() - min(mltrace_component_oldest_flag_timestamp_seconds)",
    unit="s",
    thresholds=PLAIN,
    links=[_REVIEW],
    no_value="none waits",
)
_COMMON = show_stat(
    "Runs behind all of them",
    f"Runs that all of the newest {_FLAG_LIMIT} flagged outputs have in common. The cause is likely"
    " to be among them.",
    ask_postgres(
        "SELECT count(*) FILTER (WHERE flagged_with = flagged_total) AS runs"
        f" FROM mltrace_ro.flag_coverage({_FLAG_LIMIT})"
    ),
    thresholds=PLAIN,
)
_BY_COMPONENT = show_bars(
    "Flagged outputs by component",
    "Which components wrote the flagged outputs: where the trouble shows, which need not be where"
    " it began.",
    ask_prometheus(
        "topk(20, max by (component) (mltrace_component_flagged_outputs) > 0)",
        "{{component}}",
        instant=True,
    ),
    unit="short",
    thresholds=LOOK_ABOVE_ZERO,
    links=[LINK_SERIES],
)
_OVER_TIME = show_series(
    "Open flags",
    "Flags that nobody has resolved, over time.",
    [
        ask_prometheus(
            "topk(20, max by (component) (mltrace_component_flagged_outputs))", "{{component}}"
        )
    ],
    links=[LINK_SERIES],
)
_COVERAGE = show_table(
    "Runs that flagged outputs have in common",
    f"Coverage is the share of the newest {_FLAG_LIMIT} flagged outputs that a run is behind."
    " Equals: a run that failed or whose tests failed comes first, then the one that began first,"
    " for a cause comes before its effects. The review in the panel ranks them by suspicion, too.",
    ask_postgres(
        "SELECT coverage, run_id, component, started_at, execution, tests, flagged_with"
        f" FROM mltrace_ro.flag_coverage({_FLAG_LIMIT}) ORDER BY coverage DESC,"
        " (execution = 'error' OR tests = 'failed') DESC, started_at, run_id LIMIT 200"
    ),
    overrides=[
        *(RUN, COMPONENT, STARTED, EXECUTION, TESTS),
        show_field(
            "coverage",
            unit="percentunit",
            min=0,
            max=1,
            decimals=0,
            color={"mode": "fixed", "fixedColor": "yellow"},
            custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
            custom__width=200,
        ),
        show_field("flagged_with", displayName="flagged outputs", custom__width=130),
    ],
)
_FLAGS = show_table(
    "Flags",
    "The newest 500 flags, open ones first, with who set them and why.",
    ask_postgres(
        "SELECT output, component, run_id, severity, reason, flagged_by, flagged_at,"
        " CASE WHEN is_open THEN 'open' ELSE 'resolved' END AS state, resolved_by, resolution"
        " FROM mltrace_ro.flagged_outputs ORDER BY is_open DESC, flagged_at DESC, flag_id DESC"
        " LIMIT 500"
    ),
    overrides=[
        *(RUN, COMPONENT),
        show_field("output", links=[link_lineage(), link_output(), link_trace()]),
        show_field("flagged_at", displayName="flagged", unit="dateTimeFromNow"),
        show_field("flagged_by", displayName="by"),
        show_field("resolved_by", displayName="resolved by"),
        colour_field("severity", ("low", "medium", "high")),
        colour_field("state", ("open", "resolved")),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-review",
    title="mltrace / Review",
    description="Which outputs people flagged as wrong, and which runs they have in common.",
    rows=[
        Row(
            "",
            [
                Strip(4, [(8, _OPEN), (8, _OLDEST), (8, _COMMON)]),
                Strip(12, [(24, _COVERAGE)]),
                Strip(8, [(12, _BY_COMPONENT), (12, _OVER_TIME)]),
                Strip(12, [(24, _FLAGS)]),
            ],
        ),
        tell(
            "Somebody flagged outputs as wrong, with `mltrace flag` or in the panel. The table"
            " ranks the runs that these outputs were made by: one that is behind all of them, and"
            " whose tests failed, is where to begin. Resolve flags in the panel or with"
            " `mltrace unflag`."
        ),
    ],
    variables=SOURCES,
    annotations=mark_troubles(),
)
