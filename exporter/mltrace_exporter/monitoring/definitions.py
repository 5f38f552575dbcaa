"""The alerts: what each waits for and what it says. The one place that defines them.

The rule files in ``collector-config/prometheus/`` are written from it; ``GET /api/alerts``
evaluates it without Prometheus. What has ended is final, so that alerts on it wait for nothing.
Each alert has a page of the same name in ``docs/runbooks/``.
"""

from dataclasses import dataclass

from mltrace_exporter import metrics
from mltrace_exporter.metrics import Metric
from mltrace_exporter.monitoring.conditions import Condition, Reading, Sign
from mltrace_otel.contract.api import AlertSeverity
from mltrace_otel.profiles.verdicts import DriftMethod

SILENCE_FACTOR = 1.5
"""A component is silent after so many of its usual intervals."""

FLAG_PATIENCE_S = 3_600
POLL_PATIENCE_S = 300
DEAD_LETTER_MEMORY_S = 3_600
OWNERS_RULE = "component:mltrace_component_info:owner"
"""A recording rule with one series for each component, which names its owner."""
BURN = "MltraceFailuresBurn"
"""The alert of the rules that not everybody uses; only Prometheus can tell."""

_COMPONENT = ("component",)
_TEST = ("component", "suite", "test", "phase")
_DRIFT = metrics.OUTPUT_DRIFT_SCORE.labels
COMPONENT_PAGE = "/component?name={component:query}"


@dataclass(frozen=True, slots=True)
class Definition:
    """An alert.

    Attributes:
        name: of the alert, and of its page.
        severity: how urgent it is.
        condition: when it fires; PromQL where only Prometheus can tell.
        summary: what is the matter, in a few words; see `wording`.
        description: the same in a sentence or two, with what to do first.
        panel_path: the panel's page that shows more.
        wait_s: for how long the condition must hold.
        began: a metric with the time since when it holds, where the condition is on no time.
    """

    name: str
    severity: AlertSeverity
    condition: Condition | str
    summary: str
    description: str
    panel_path: str = "/"
    wait_s: int = 0
    began: Metric | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels by which its alerts differ."""
        return () if isinstance(self.condition, str) else self.condition.left.by

    def write_expression(self) -> str:
        """Return when it fires as PromQL, with the owner of the component that it is about."""
        if isinstance(self.condition, str):
            return self.condition
        expression = self.condition.write()
        if "component" not in self.labels:
            return expression
        return f"({expression}) * on (component) group_left (owner) {OWNERS_RULE}"


TEST_FAILED = Definition(
    "MltraceTestFailed",
    AlertSeverity.WARNING,
    Condition(
        Reading(metrics.TEST_LAST_OUTCOME, (*_TEST, "outcome"), {"outcome": ("failed", "errored")}),
        Sign.EQUAL,
        1,
    ),
    "Test {test} of {component} {outcome}",
    "{suite}.{test}, run {phase} {component}, {outcome} when it last ran. What the component made "
    "may be wrong: look at the run's message, then at its inputs.",
    COMPONENT_PAGE,
    began=metrics.TEST_LAST_RUN,
)
RUN_FAILED = Definition(
    "MltraceRunFailed",
    AlertSeverity.CRITICAL,
    Condition(
        Reading(metrics.LAST_OUTCOME, (*_COMPONENT, "outcome"), {"outcome": ("failed", "aborted")}),
        Sign.EQUAL,
        1,
    ),
    "The last run of {component} {outcome}",
    "The newest run of {component} that is over {outcome}, so that what depends on it works on old "
    "data. The run's page has the error.",
    COMPONENT_PAGE,
    began=metrics.LAST_RUN,
)
COMPONENT_STALE = Definition(
    "MltraceComponentStale",
    AlertSeverity.WARNING,
    Condition(Reading(metrics.STALE_INPUTS, _COMPONENT), Sign.ABOVE, 0),
    "{component} worked on {value:number} stale input(s)",
    "The newest run of {component} used what was too old, had been made anew before it began, or "
    "was built on other data. Run it again after what it depends on.",
    COMPONENT_PAGE,
    began=metrics.LAST_RUN,
)
COMPONENT_SILENT = Definition(
    "MltraceComponentSilent",
    AlertSeverity.WARNING,
    Condition(
        Reading(metrics.LAST_RUN, _COMPONENT),
        Sign.ABOVE,
        Reading(metrics.EXPECTED_INTERVAL, _COMPONENT, factor=SILENCE_FACTOR),
        is_age=True,
    ),
    "{component} has not run for {value:age}",
    "{component} has not run for {value:age}, which is longer than its pauses were in the last 28 "
    "days. Look at what starts it, and at whether its runs arrive.",
    COMPONENT_PAGE,
    wait_s=300,
)
OUTPUT_DRIFT = Definition(
    "MltraceOutputDrift",
    AlertSeverity.WARNING,
    Condition(
        Reading(
            metrics.OUTPUT_DRIFT_SCORE,
            _DRIFT,
            {"method": tuple(each for each in DriftMethod if each is not DriftMethod.NULLS)},
        ),
        Sign.ABOVE,
        Reading(metrics.OUTPUT_DRIFT_THRESHOLD, _DRIFT),
    ),
    "{output} of {component} drifted: {method}{column:of}",
    "What the newest run of {component} gave as {output} differs from the runs before, at most ten "
    "({method}{column:of}: {value:measure}). `mltrace drift` with that run says how.",
    COMPONENT_PAGE,
    began=metrics.LAST_RUN,
)
OUTPUT_NULLS = Definition(
    "MltraceOutputNulls",
    AlertSeverity.WARNING,
    Condition(
        Reading(metrics.OUTPUT_DRIFT_SCORE, _DRIFT, {"method": (DriftMethod.NULLS,)}),
        Sign.ABOVE,
        Reading(metrics.OUTPUT_DRIFT_THRESHOLD, _DRIFT),
    ),
    "Missing values{column:of} in {output} of {component} changed",
    "The share of missing values{column:of} in {output} of {component} differs by {value:share} "
    "from the runs before, at most ten. Look at what the component reads.",
    COMPONENT_PAGE,
    began=metrics.LAST_RUN,
)
FLAGS_WAITING = Definition(
    "MltraceFlagsWaiting",
    AlertSeverity.INFO,
    Condition(
        Reading(metrics.OLDEST_FLAG, _COMPONENT, lasts=False),
        Sign.ABOVE,
        FLAG_PATIENCE_S,
        is_age=True,
    ),
    "Flagged outputs of {component} wait for review",
    "An output of {component} was flagged as wrong {value:age} ago, and nobody has resolved it. "
    "The review ranks the runs that may be the cause.",
    "/review",
)
EXPORTER_DOWN = Definition(
    "MltraceExporterDown",
    AlertSeverity.CRITICAL,
    'max by (job) (up{job="mltrace"}) == 0',
    "No mltrace exporter answers",
    "Prometheus cannot scrape any mltrace exporter. Runs are kept where they were made and by the "
    "collector; nothing else alerts until one is back. Look at its log and at its database.",
    wait_s=300,
)
EXPORTER_ABSENT = Definition(
    "MltraceExporterAbsent",
    AlertSeverity.CRITICAL,
    'absent(up{job="mltrace"})',
    "Prometheus knows no mltrace exporter",
    "Prometheus has no target of the job mltrace, so that nothing else alerts. Look at the job in "
    "prometheus.yaml and at what finds its targets.",
    wait_s=300,
)
EXPORTER_STALLED = Definition(
    "MltraceExporterStalled",
    AlertSeverity.CRITICAL,
    Condition(Reading(metrics.LAST_POLL), Sign.ABOVE, POLL_PATIENCE_S, is_age=True),
    "Metrics are {value:age} old",
    "The exporter answers, but has not read its database for {value:age}: all metrics and alerts "
    "are as they were then. Look at its log and at the database.",
    wait_s=60,
)
SERIES_FOLDED = Definition(
    "MltraceSeriesFolded",
    AlertSeverity.WARNING,
    Condition(Reading(metrics.FOLDED), Sign.ABOVE, 0),
    "{value:number} series do not fit under the limit",
    "There are more components, tests or outputs than the limit on series has room for; the rest "
    "is shown together as __other__. Raise the limit, or let names that change stay the same.",
)
SPANS_REFUSED = Definition(
    "MltraceSpansRefused",
    AlertSeverity.WARNING,
    Condition(Reading(metrics.LAST_DEAD_LETTER), Sign.BELOW, DEAD_LETTER_MEMORY_S, is_age=True),
    "Spans were received that cannot be stored",
    "A span that cannot be stored came {value:age} ago. `mltrace db dead-letters` shows what was "
    "sent, and why it was refused.",
)

DEFINITIONS = (
    *(TEST_FAILED, RUN_FAILED, COMPONENT_STALE, COMPONENT_SILENT),
    *(OUTPUT_DRIFT, OUTPUT_NULLS, FLAGS_WAITING),
    *(EXPORTER_DOWN, EXPORTER_ABSENT, EXPORTER_STALLED, SERIES_FOLDED, SPANS_REFUSED),
)
