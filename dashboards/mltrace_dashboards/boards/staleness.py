"""Staleness: which components are built on inputs that are old or were replaced."""

from mltrace_dashboards.asking import ask_postgres, ask_prometheus
from mltrace_dashboards.choices import COMPONENTS, SOURCES
from mltrace_dashboards.fields import (
    COMPONENT,
    LINK_SERIES,
    LOOK_ABOVE_ZERO,
    OK,
    RUN,
    STALE,
    STARTED,
    colour_field,
    link_component,
    link_run,
    show_field,
    step,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import show_bars, show_series, show_stat, show_table, tell

_OF = '{component=~"$component"}'
_AGE = f"time() - max by (component) (mltrace_component_last_run_timestamp_seconds{_OF})"
_USUAL = f"max by (component) (mltrace_component_expected_interval_seconds{_OF})"

_STALE = show_stat(
    "Stale components",
    "Components whose newest run had inputs that were old, or replaced before it began.",
    f"count(max by (component) (mltrace_component_stale_inputs{_OF}) > 0) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
)
_SILENT = show_stat(
    "Silent components",
    "Components that have not run for one and a half times their usual pause.",
    f"count(({_AGE}) > 1.5 * {_USUAL}) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
)
_WHY = show_table(
    "Why they are stale",
    "A row for each reason. Run the dependency again, then the component; or raise its staleness"
    " threshold if such an age is meant. Filled while a component is stale.",
    ask_postgres(
        "SELECT run_id, component, kind, dependency_component, dependency_id, age_s, threshold_s,"
        " fresher_count, started_at FROM mltrace_ro.staleness"
        " WHERE component IN (${component:sqlstring})"
        " ORDER BY component, started_at DESC, dependency_id LIMIT 500"
    ),
    overrides=[
        *(RUN, COMPONENT, STARTED),
        show_field(
            "dependency_component",
            displayName="depends on",
            links=[link_component("dependency_component")],
        ),
        show_field(
            "dependency_id",
            displayName="its run",
            links=[link_run("dependency_id")],
            unit="none",
            custom__width=90,
        ),
        show_field("age_s", displayName="age", unit="s"),
        show_field("threshold_s", displayName="threshold", unit="s"),
        show_field("fresher_count", displayName="fresher runs", custom__width=110),
        colour_field("kind", ("old_input", "fresher_run", "drifted_input"), "reason"),
    ],
)
_PAUSES = show_bars(
    "Since the last run, in usual pauses",
    "1 means: as long ago as the longest usual pause. Filled for components with at least four runs"
    " that began more than five minutes apart.",
    ask_prometheus(f"topk(20, ({_AGE}) / {_USUAL})", "{{component}}", instant=True),
    unit="short",
    thresholds=step((None, OK), (1.5, STALE)),
    links=[LINK_SERIES],
)
_INPUTS = show_series(
    "Stale inputs",
    "Runs that were too old or had been replaced, among those that each component's newest run"
    " depends on.",
    [
        ask_prometheus(
            f"topk(20, max by (component) (mltrace_component_stale_inputs{_OF}))", "{{component}}"
        )
    ],
    links=[LINK_SERIES],
)
_SINCE = show_bars(
    "Since the last success",
    "How long ago the newest run that succeeded ended, of the 20 components for which that is"
    " longest ago.",
    ask_prometheus(
        "topk(20, time() - max by (component)"
        f" (mltrace_component_last_success_timestamp_seconds{_OF}))",
        "{{component}}",
        instant=True,
    ),
    unit="s",
    thresholds=step((None, OK)),
    links=[LINK_SERIES],
)

DASHBOARD = Dashboard(
    uid="mltrace-staleness",
    title="mltrace / Staleness",
    description="Which components are built on inputs that are old or were replaced, and why.",
    rows=[
        Row(
            "",
            [
                Strip(4, [(12, _STALE), (12, _SILENT)]),
                Strip(10, [(24, _WHY)]),
                Strip(10, [(8, _PAUSES), (8, _SINCE), (8, _INPUTS)]),
            ],
        ),
        tell(
            "A run is stale if what it read was generated long before it, by default more than 30"
            " days, or had been made anew before it began. Only the newest run of each component is"
            " asked: older ones are history. A silent component is one that has stopped running."
        ),
    ],
    variables=[*SOURCES, COMPONENTS],
)
