"""Tests: which fail, since when, and what they say."""

from mltrace_dashboards.asking import ask_over_time, ask_postgres, ask_prometheus
from mltrace_dashboards.choices import COMPONENTS, PHASES, SOURCES, mark_chosen
from mltrace_dashboards.fields import (
    CODES,
    COMPONENT,
    FAILED,
    LOOK_ABOVE_ZERO,
    NOTHING,
    OK,
    RUN,
    STARTED,
    TOOK,
    colour_codes,
    colour_field,
    colour_series,
    link_component,
    show_field,
    step,
)
from mltrace_dashboards.model import Dashboard, Json, Panel, Row, Strip
from mltrace_dashboards.panels import show_series, show_stat, show_states, show_table, tell

_SERIES = 'component=~"$component", phase=~"$phase"'
_CHOSEN = "component IN (${component:sqlstring}) AND phase IN (${phase:sqlstring})"
_ROWS = f"{_CHOSEN} AND $__timeFilter(started_at)"
_CODE = " ".join(f"WHEN '{word}' THEN {code}" for word, code in CODES.items())


def _count_last(title: str, description: str, outcome: str, thresholds: Json) -> Panel:
    return show_stat(
        title,
        description,
        "count(max by (component, suite, test, phase) (mltrace_test_last_outcome"
        f'{{{_SERIES}, outcome="{outcome}"}}) == 1) or vector(0)',
        thresholds=thresholds,
    )


_HEADLINE = [
    _count_last("Passing", "Tests that passed when they last ran.", "passed", step((None, OK))),
    _count_last(
        "Failing",
        "Tests that failed when they last ran.",
        "failed",
        step((None, OK), (1, FAILED)),
    ),
    _count_last(
        "Could not be run",
        "Tests whose set-up raised when they last ran.",
        "errored",
        LOOK_ABOVE_ZERO,
    ),
    _count_last(
        "Skipped",
        "Tests that did not apply when they last ran, such as tests of the history while it cannot"
        " be asked for.",
        "skipped",
        step((None, NOTHING)),
    ),
]
_OUTCOMES = show_series(
    "Outcomes",
    "What tests found, over time.",
    [
        ask_prometheus(
            "sum by (outcome) (max by (component, suite, test, phase, outcome)"
            f" (increase(mltrace_tests_total{{{_SERIES}}}[$__rate_interval])))",
            "{{outcome}}",
        )
    ],
    bars=True,
    overrides=colour_series("passed", "failed", "errored", "skipped"),
)
_EACH = show_states(
    "Each test",
    "What each test found, from run to run. At most 5,000 outcomes, the newest.",
    ask_over_time(
        f"component || ': ' || suite || '.' || test AS metric, CASE outcome {_CODE} END AS value",
        "test_outcomes",
        _CHOSEN,
        limit=5000,
        form="time_series",
    ),
    colour_codes(),
)
_WORST = show_table(
    "Tests that fail most",
    "Tests by how often they failed in the time range.",
    ask_postgres(
        "SELECT component, suite, test, phase, count(*) AS runs,"
        " count(*) FILTER (WHERE outcome IN ('failed', 'errored')) AS failures,"
        " max(started_at) FILTER (WHERE outcome IN ('failed', 'errored')) AS last_failure"
        f" FROM mltrace_ro.test_outcomes WHERE {_ROWS} GROUP BY component, suite, test, phase"
        " ORDER BY failures DESC, runs DESC, component, suite, test LIMIT 100"
    ),
    overrides=[
        COMPONENT,
        show_field("last_failure", displayName="last failure", unit="dateTimeFromNow"),
    ],
)
_SAID = show_table(
    "What failing tests said",
    "The newest 200 tests of the time range that failed or could not be run.",
    ask_postgres(
        "SELECT run_id, component, suite, test, phase, outcome, message, started_at, duration_s"
        f" FROM mltrace_ro.test_outcomes WHERE {_ROWS} AND outcome IN ('failed', 'errored')"
        " ORDER BY started_at DESC LIMIT 200"
    ),
    overrides=[
        *(RUN, STARTED, TOOK),
        show_field("component", links=[link_component()]),
        show_field("message", custom__minWidth=400),
        colour_field("outcome", ("failed", "errored")),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-tests",
    title="mltrace / Tests",
    description="Which tests of data and models fail, since when, and what they say.",
    rows=[
        Row(
            "",
            [
                Strip(4, [(6, each) for each in _HEADLINE]),
                Strip(8, [(12, _OUTCOMES), (12, _EACH)]),
                Strip(12, [(24, _SAID)]),
                Strip(10, [(24, _WORST)]),
            ],
        ),
        tell(
            "Tests that components run before and after they work. A test that fails now and passed"
            " before tells when something changed: look at what else is marked at that time, then"
            " open the run and its inputs. Tests that could not be run have a mistake of their own."
        ),
    ],
    variables=[*SOURCES, COMPONENTS, PHASES],
    annotations=mark_chosen(),
    start="now-7d",
)
