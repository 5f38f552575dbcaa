"""Component: the history of one."""

from mltrace_dashboards.asking import ask_over_time, ask_postgres, ask_prometheus
from mltrace_dashboards.choices import COMPONENT, SOURCES, mark_chosen
from mltrace_dashboards.fields import (
    BAD_ABOVE_ZERO,
    EXECUTION,
    LOOK_ABOVE_ZERO,
    PLAIN,
    RUN,
    STARTED,
    TESTS,
    TOOK,
    colour_words,
    link_board,
    link_lineage,
    link_output,
    link_run,
    link_trace,
    show_field,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import (
    show_heatmap,
    show_series,
    show_stat,
    show_states,
    show_table,
    show_words,
    tell,
)

_OF = '{component="$component"}'
_CHOSEN = "component = ${component:sqlstring}"
_VARIABLE = "var-component=${component:percentencode}"

_OWNER = show_words(
    "Owner",
    "Whom to ask about this component, as it says itself. Filled if it names one.",
    ask_postgres(
        f"SELECT coalesce(owner, 'nobody') AS owner FROM mltrace_ro.components WHERE {_CHOSEN}"
    ),
    "owner",
)
_SUCCESS = show_stat(
    "Since the last success",
    "How long ago the newest run that succeeded ended. Compare with its usual pause.",
    f"time() - max(mltrace_component_last_success_timestamp_seconds{_OF})",
    unit="s",
    thresholds=PLAIN,
    no_value="never",
)
_PAUSE = show_stat(
    "Usual pause",
    "How far apart its runs begin at most, as a rule. Filled after four runs that began more than"
    " five minutes apart.",
    f"max(mltrace_component_expected_interval_seconds{_OF})",
    unit="s",
    thresholds=PLAIN,
    no_value="not known yet",
)
_FAILING = show_stat(
    "Failing tests",
    "Tests that failed, or could not be run, when they last ran.",
    "count(max by (suite, test, phase) (mltrace_test_last_outcome"
    '{component="$component", outcome=~"failed|errored"}) == 1) or vector(0)',
    thresholds=BAD_ABOVE_ZERO,
    links=[link_board("Its tests", "tests", _VARIABLE)],
)
_STALE = show_stat(
    "Stale inputs",
    "Runs that the newest run depends on and that were too old, or had been replaced.",
    f"max(mltrace_component_stale_inputs{_OF}) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[link_board("Why", "staleness", _VARIABLE)],
)
_FLAGGED = show_stat(
    "Flagged outputs",
    "Outputs of it that people flagged as wrong and nobody has resolved.",
    f"max(mltrace_component_flagged_outputs{_OF}) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
    links=[link_board("Review", "review")],
)
_STATES = show_states(
    "How runs ended",
    "From the start of each run to the start of the next: how it ended, and what its tests found."
    " The newest 2,000 runs at most.",
    ask_over_time("execution AS ended, tests", "component_history", _CHOSEN),
    colour_words(("ok", "error", "running", "aborted", "passed", "failed", "none")),
)
_TOOK = show_series(
    "How long runs took",
    "Each point is a run; a click on it opens the run. The newest 2,000 runs at most.",
    [ask_over_time("duration_s AS took, run_id::text AS run_id", "component_history", _CHOSEN)],
    unit="s",
    points=True,
    overrides=[show_field("took", links=[link_run()])],
)
_SPREAD = show_heatmap(
    "How long runs took, as a distribution",
    "Runs by how long they took, as metrics have it. Points lead to single runs.",
    ask_prometheus(
        "max by (le) (increase(mltrace_component_run_duration_seconds_bucket"
        + _OF
        + "[$__rate_interval]))",
        "{{le}}",
        form="heatmap",
        exemplar=True,
    ),
    unit="s",
)
_HISTORY = show_table(
    "History",
    "Its newest 500 runs of the time range, each beside the run before it.",
    ask_postgres(
        "SELECT run_id, started_at, duration_s, execution, tests, partition, input_count,"
        " output_count, code_changed, left(git_hash, 8) AS git_hash, since_run_before_s,"
        f" run_before_id FROM mltrace_ro.component_history WHERE {_CHOSEN}"
        " AND $__timeFilter(started_at) ORDER BY started_at DESC, run_id DESC LIMIT 500"
    ),
    overrides=[
        *(RUN, STARTED, TOOK, EXECUTION, TESTS),
        show_field("since_run_before_s", displayName="after the run before", unit="s"),
        show_field("input_count", displayName="inputs", custom__width=80),
        show_field("output_count", displayName="outputs", custom__width=80),
        show_field("code_changed", displayName="new code", custom__width=90),
        show_field("git_hash", displayName="commit", custom__width=100),
        show_field(
            "run_before_id",
            displayName="run before",
            links=[link_run("run_before_id")],
            unit="none",
        ),
    ],
)
_OUTPUTS = show_table(
    "Newest outputs",
    "What its newest runs wrote, newest first. Choose one to see everything that it was made from.",
    ask_postgres(
        f"SELECT output, type, run_id, started_at FROM mltrace_ro.outputs WHERE {_CHOSEN}"
        " ORDER BY started_at DESC, run_id DESC, output LIMIT 200"
    ),
    overrides=[
        RUN,
        STARTED,
        show_field("output", links=[link_lineage(), link_output(), link_trace()]),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-component",
    title="mltrace / Component",
    description="The history of one component: when it ran, how long it took, how it ended.",
    rows=[
        Row(
            "",
            [
                Strip(
                    4,
                    [
                        *((4, _OWNER), (4, _SUCCESS), (4, _PAUSE)),
                        *((4, _FAILING), (4, _STALE), (4, _FLAGGED)),
                    ],
                ),
                Strip(6, [(24, _STATES)]),
                Strip(8, [(12, _TOOK), (12, _SPREAD)]),
                Strip(12, [(24, _HISTORY)]),
            ],
        ),
        Row("Outputs", [Strip(10, [(24, _OUTPUTS)])]),
        tell(
            "One component, run by run: did it run when it should, how did it end, did it take"
            " longer than usual, from which code. Vertical lines are failed tests, flags that"
            " people set, and runs of new code: what began to go wrong at one of them has its"
            " reason there."
        ),
    ],
    variables=[*SOURCES, COMPONENT],
    annotations=mark_chosen(),
    start="now-7d",
)
