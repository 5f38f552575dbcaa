"""Overview: what ran lately, and what needs somebody."""

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
    TOOK,
    colour_field,
    colour_series,
    link_board,
    link_component,
    show_field,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import show_series, show_stat, show_table, tell

_COMPONENTS = show_stat(
    "Components",
    "Components that have ever run.",
    "count(max by (component) (mltrace_component_info))",
    thresholds=PLAIN,
)
_FAILED_RUNS = show_stat(
    "Failed runs",
    "Components whose newest run failed or was aborted. The table below has the run, and its page"
    " what it raised.",
    'count(max by (component) (mltrace_component_last_outcome{outcome=~"failed|aborted"}) == 1)'
    " or vector(0)",
)
_FAILED_TESTS = show_stat(
    "Failing tests",
    "Tests that failed, or could not be run, when they last ran.",
    "count(max by (component, suite, test, phase)"
    ' (mltrace_test_last_outcome{outcome=~"failed|errored"}) == 1) or vector(0)',
    links=[link_board("Tests", "tests")],
)
_STALE = show_stat(
    "Stale components",
    "Components whose newest run had inputs that were old, or replaced before it began.",
    "count(max by (component) (mltrace_component_stale_inputs) > 0) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[link_board("Staleness", "staleness")],
)
_DRIFTED = show_stat(
    "Drifted outputs",
    "Outputs that differ in the newest run from the runs before, at most ten, by more than chance"
    " and what is usual.",
    "count(max by (component, output) (mltrace_output_drift_score > on (component, output, column,"
    " method, instance) mltrace_output_drift_threshold)) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[link_board("Outputs", "outputs")],
)
_FLAGGED = show_stat(
    "Flagged outputs",
    "Outputs that people flagged as wrong and nobody has resolved.",
    "sum(max by (component) (mltrace_component_flagged_outputs)) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[link_board("Review", "review")],
)
_RUNS = show_series(
    "Runs",
    "Component runs that ended, by how. Points lead to single runs.",
    [
        ask_prometheus(
            "sum by (outcome) (max by (component, outcome)"
            " (increase(mltrace_component_runs_total[$__rate_interval])))",
            "{{outcome}}",
            exemplar=True,
        )
    ],
    bars=True,
    overrides=colour_series("succeeded", "failed"),
)
_TEST_FAILURES = show_series(
    "Test failures",
    "Tests that failed or could not be run, of the ten components with most of them. Compare with"
    " when its inputs changed.",
    [
        ask_prometheus(
            "topk(10, sum by (component) (max by (component, suite, test, phase, outcome)"
            ' (increase(mltrace_tests_total{outcome=~"failed|errored"}[$__rate_interval]))))',
            "{{component}}",
        )
    ],
    bars=True,
    links=[LINK_SERIES],
)
_DURATIONS = show_series(
    "Longest runs",
    "95th percentile of how long runs took, of the ten slowest components.",
    [
        ask_prometheus(
            "topk(10, histogram_quantile(0.95, max by (component, le)"
            " (increase(mltrace_component_run_duration_seconds_bucket[$__rate_interval]))) >= 0)",
            "{{component}}",
            exemplar=True,
        )
    ],
    unit="s",
    links=[LINK_SERIES],
)
_FIRING = show_table(
    "What fires",
    "Alerts of mltrace that fire now in Prometheus. Filled while one does, and if Prometheus has"
    " mltrace's rules.",
    ask_prometheus(
        'max by (alertname, severity, component, owner) (ALERTS{product="mltrace",'
        ' alertstate="firing"})',
        instant=True,
        form="table",
    ),
    overrides=[
        colour_field("severity", ("critical", "warning", "info")),
        show_field("component", links=[link_component()]),
    ],
    transformations=[
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True, "Value": True},
                "indexByName": {"severity": 0, "alertname": 1, "component": 2, "owner": 3},
                "renameByName": {"alertname": "alert"},
            },
        }
    ],
)
_RECENT = show_table(
    "Recent runs",
    "The newest 200 runs of the time range. A click on a run opens it in the panel.",
    ask_postgres(
        "SELECT run_id, component, owner, started_at, duration_s, execution, tests, message,"
        " partition, left(git_hash, 8) AS git_hash FROM mltrace_ro.recent_runs"
        " WHERE $__timeFilter(started_at) ORDER BY started_at DESC, run_id DESC LIMIT 200"
    ),
    overrides=[
        *(RUN, COMPONENT, STARTED, TOOK, EXECUTION, TESTS),
        show_field("git_hash", displayName="commit", custom__width=100),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-overview",
    title="mltrace / Overview",
    description="What ran lately, and what needs somebody.",
    rows=[
        Row(
            "",
            [
                Strip(
                    4,
                    [
                        *((4, _COMPONENTS), (4, _FAILED_RUNS), (4, _FAILED_TESTS)),
                        *((4, _STALE), (4, _DRIFTED), (4, _FLAGGED)),
                    ],
                ),
                Strip(8, [(8, _RUNS), (8, _TEST_FAILURES), (8, _DURATIONS)]),
                Strip(14, [(24, _RECENT)]),
            ],
        ),
        Row("Alerts", [Strip(8, [(24, _FIRING)])]),
        tell(
            "Every run of every component, newest first, with what ended it and what its tests"
            " found. The numbers at the top say how many components need somebody now; each leads"
            " to the dashboard that says why. One colour has one meaning everywhere: green is well,"
            " red failed, yellow is stale or to be looked at, blue goes on, purple is unknown, grey"
            " is nothing to say."
        ),
    ],
    variables=SOURCES,
    annotations=mark_troubles(),
)
