"""Every metric of ``/metrics``: its name, kind, labels and meaning. The one place that says so.

``docs/reference/metrics.md`` is written from it. No label ever holds the id of a run or a trace, a
path, a hash or a message: each of their values would be a series of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

OVERFLOW = "__other__"
"""Value of the label ``component`` where those over the series limit are folded together."""

DURATION_BUCKETS_S = (0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600, 10800, 28800, 86400)
QUANTILES = (0.05, 0.5, 0.95)
_COMMIT_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_GROUP_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384)
# Labels that tell the values of one thing apart, not things.
_ASPECTS = frozenset({"outcome", "quantile", "method"})


class Kind(StrEnum):
    """What Prometheus calls the type."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Fold(StrEnum):
    """What is shown of many things together, where there are too many for a series each."""

    SUM = "sum"
    HIGHEST = "highest"
    LOWEST = "lowest"
    NOTHING = "nothing"


class Group(StrEnum):
    """Metrics of the store that are kept or folded together."""

    RUN_TOTALS = "run totals"
    RUN_DURATIONS = "run durations"
    COMPONENTS = "states of components"
    TEST_TOTALS = "test totals"
    TESTS = "states of tests"
    OUTPUTS = "states of outputs"
    OUTPUT_VALUES = "values of outputs"


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """A metric.

    Attributes:
        name: as Prometheus stores it; of a histogram, without its suffixes.
        kind: its type.
        labels: names of its labels, but for those that Prometheus adds and ``le``.
        meaning: what its value says, with the unit.
        group: of a metric from the store, which all exporters on one database show alike; None of
            one about this process.
        fold: how the things over the series limit are shown together.
        buckets: upper bounds of a histogram, where they are the same for all.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    group: Group | None = None
    fold: Fold = Fold.NOTHING
    buckets: tuple[float, ...] = ()

    @property
    def subject(self) -> tuple[str, ...]:
        """The labels that name a thing."""
        return tuple(label for label in self.labels if label not in _ASPECTS)


_COMPONENT = ("component",)
_TEST = ("component", "suite", "test", "phase")
_OUTPUT = ("component", "output")
_OUTPUT_COLUMN = (*_OUTPUT, "column")

RUNS = Metric(
    "mltrace_component_runs_total",
    Kind.COUNTER,
    ("component", "outcome"),
    "Component runs that have ended, by how: `succeeded` or `failed`.",
    Group.RUN_TOTALS,
    Fold.SUM,
)
RUN_DURATION = Metric(
    "mltrace_component_run_duration_seconds",
    Kind.HISTOGRAM,
    _COMPONENT,
    "How long component runs took.",
    Group.RUN_DURATIONS,
    Fold.SUM,
    DURATION_BUCKETS_S,
)
COMPONENT_INFO = Metric(
    "mltrace_component_info",
    Kind.GAUGE,
    ("component", "owner"),
    "Always 1; names the component's owner.",
    Group.COMPONENTS,
)
LAST_OUTCOME = Metric(
    "mltrace_component_last_outcome",
    Kind.GAUGE,
    ("component", "outcome"),
    "1 for how the newest run that is over ended: `succeeded`, `failed`, or `aborted` if its "
    "process ended before it did; 0 for the others.",
    Group.COMPONENTS,
    Fold.HIGHEST,
)
LAST_RUN = Metric(
    "mltrace_component_last_run_timestamp_seconds",
    Kind.GAUGE,
    _COMPONENT,
    "When the newest run ended or, while it goes on, was last known to go on, in seconds since "
    "1970.",
    Group.COMPONENTS,
    Fold.HIGHEST,
)
LAST_SUCCESS = Metric(
    "mltrace_component_last_success_timestamp_seconds",
    Kind.GAUGE,
    _COMPONENT,
    "When the newest run that succeeded ended, in seconds since 1970.",
    Group.COMPONENTS,
    Fold.LOWEST,
)
EXPECTED_INTERVAL = Metric(
    "mltrace_component_expected_interval_seconds",
    Kind.GAUGE,
    _COMPONENT,
    "How far apart runs begin at most, as a rule: the longest pause but one between runs of the "
    "last 28 days, or of the last 10 runs if that is longer ago. It takes 3 pauses to know.",
    Group.COMPONENTS,
)
STALE_INPUTS = Metric(
    "mltrace_component_stale_inputs",
    Kind.GAUGE,
    _COMPONENT,
    "How many runs that the newest run depends on were too old, had been replaced when it began, "
    "or were built on other data than it worked on.",
    Group.COMPONENTS,
    Fold.HIGHEST,
)
FLAGGED_OUTPUTS = Metric(
    "mltrace_component_flagged_outputs",
    Kind.GAUGE,
    _COMPONENT,
    "Outputs that people flagged as wrong and nobody has resolved.",
    Group.COMPONENTS,
    Fold.SUM,
)
OLDEST_FLAG = Metric(
    "mltrace_component_oldest_flag_timestamp_seconds",
    Kind.GAUGE,
    _COMPONENT,
    "When the oldest flag that is not resolved was set, in seconds since 1970.",
    Group.COMPONENTS,
    Fold.LOWEST,
)
TESTS = Metric(
    "mltrace_tests_total",
    Kind.COUNTER,
    (*_TEST, "outcome"),
    "Data tests run by components, by what came of it: `passed`, `failed`, `errored` if the test "
    "could not be run, `skipped` if it did not apply.",
    Group.TEST_TOTALS,
    Fold.SUM,
)
TEST_LAST_OUTCOME = Metric(
    "mltrace_test_last_outcome",
    Kind.GAUGE,
    (*_TEST, "outcome"),
    "1 for what came of the test when it last ran, among the component's newest 20 runs; 0 for "
    "the other outcomes.",
    Group.TESTS,
    Fold.HIGHEST,
)
TEST_LAST_RUN = Metric(
    "mltrace_test_last_run_timestamp_seconds",
    Kind.GAUGE,
    _TEST,
    "When the run ended in which the test last ran, in seconds since 1970.",
    Group.TESTS,
    Fold.HIGHEST,
)
OUTPUT_VALUES = Metric(
    "mltrace_output_value",
    Kind.HISTOGRAM,
    _OUTPUT_COLUMN,
    "Numbers that outputs held, in all runs since the column was first seen. Buckets are chosen "
    "from its first run and then stay; there is no sum, because numbers may be negative. The "
    "column of an array is called after its variable, that of a single number is empty.",
    Group.OUTPUT_VALUES,
)
OUTPUT_QUANTILE = Metric(
    "mltrace_output_quantile",
    Kind.GAUGE,
    (*_OUTPUT_COLUMN, "quantile"),
    "Quantiles of the numbers that an output held in the newest run that gave it; of single "
    "numbers, of those of the newest 100 runs.",
    Group.OUTPUTS,
)
OUTPUT_NULL_RATIO = Metric(
    "mltrace_output_null_ratio",
    Kind.GAUGE,
    _OUTPUT_COLUMN,
    "Share of values that were missing there, from 0 to 1.",
    Group.OUTPUTS,
    Fold.HIGHEST,
)
OUTPUT_ROWS = Metric(
    "mltrace_output_rows",
    Kind.GAUGE,
    _OUTPUT,
    "Rows that it held there.",
    Group.OUTPUTS,
)
OUTPUT_DRIFT_SCORE = Metric(
    "mltrace_output_drift_score",
    Kind.GAUGE,
    (*_OUTPUT_COLUMN, "method"),
    "How far it differs there from the runs before, at most ten: by `psi` of the distribution, by "
    "`nulls`, `range`, `new_values`, `rows` or `columns`. What may be chance is at most the "
    "threshold. The column is empty where the output as a whole is meant.",
    Group.OUTPUTS,
)
OUTPUT_DRIFT_THRESHOLD = Metric(
    "mltrace_output_drift_threshold",
    Kind.GAUGE,
    (*_OUTPUT_COLUMN, "method"),
    "A score above is drift: a constant of the method, or what runs differ by as a rule.",
    Group.OUTPUTS,
)

BUILD = Metric(
    "mltrace_exporter_build_info",
    Kind.GAUGE,
    ("version",),
    "Always 1; names the version of mltrace-otel.",
)
PANEL = Metric(
    "mltrace_exporter_panel_info",
    Kind.GAUGE,
    ("url", "runbooks"),
    "Always 1; names the addresses of the panel and of the runbooks, which links in alerts begin "
    "with.",
)
LAST_POLL = Metric(
    "mltrace_exporter_last_poll_timestamp_seconds",
    Kind.GAUGE,
    (),
    "When what the store says was last read, in seconds since 1970.",
)
POLL_DURATION = Metric(
    "mltrace_exporter_poll_duration_seconds",
    Kind.GAUGE,
    (),
    "How long that took.",
)
POLL_ERRORS = Metric(
    "mltrace_exporter_poll_errors_total",
    Kind.COUNTER,
    (),
    "Times that the store could not be read; what was read before is still shown.",
)
SERIES = Metric("mltrace_exporter_series", Kind.GAUGE, (), "Series that show what the store says.")
SERIES_LIMIT = Metric(
    "mltrace_exporter_series_limit", Kind.GAUGE, (), "How many of them there may be."
)
FOLDED = Metric(
    "mltrace_exporter_folded_series",
    Kind.GAUGE,
    (),
    f"Series that the limit leaves no room for now; they are shown together as `{OVERFLOW}`.",
)
SERIES_DROPPED = Metric(
    "mltrace_exporter_series_dropped_total",
    Kind.COUNTER,
    (),
    "Series that the limit left no room for, counted each time the store is read.",
)
STORE_LAG = Metric(
    "mltrace_exporter_store_lag_seconds",
    Kind.GAUGE,
    (),
    "How long after its end the run was stored that was stored last.",
)
LAST_DEAD_LETTER = Metric(
    "mltrace_exporter_last_dead_letter_timestamp_seconds",
    Kind.GAUGE,
    (),
    "When a span was last received that cannot be stored, in seconds since 1970; 0 if never.",
)
SPANS = Metric(
    "mltrace_exporter_spans_total",
    Kind.COUNTER,
    ("result",),
    "Spans that were answered with success, by what became of them: `stored`, `duplicate`, "
    "`ignored`, `dead_lettered`.",
)
REQUESTS = Metric(
    "mltrace_exporter_requests_total",
    Kind.COUNTER,
    ("answer",),
    "OTLP requests by answer: `accepted`, `refused` for now, `malformed` or too large, for good.",
)
RECEIVED = Metric(
    "mltrace_exporter_received_bytes_total", Kind.COUNTER, (), "Bytes of OTLP, not compressed."
)
COMMIT_DURATION = Metric(
    "mltrace_exporter_commit_seconds",
    Kind.HISTOGRAM,
    (),
    "Time to write and commit requests that share a commit.",
    buckets=_COMMIT_BUCKETS_S,
)
COMMIT_SPANS = Metric(
    "mltrace_exporter_commit_spans",
    Kind.HISTOGRAM,
    (),
    "Spans that shared a commit.",
    buckets=_GROUP_BUCKETS,
)
REPLICA_LAG = Metric(
    "mltrace_exporter_replica_lag_seconds",
    Kind.GAUGE,
    (),
    "How old what a replica shows may be; only of an exporter on a replica. While the primary "
    "cannot be reached it grows; infinite if it cannot be told.",
)
PENDING = Metric(
    "mltrace_exporter_pending_bytes", Kind.GAUGE, (), "Bytes that wait for their commit."
)
CONNECTIONS = Metric("mltrace_exporter_database_connections", Kind.GAUGE, (), "Connections in use.")

STORE_METRICS = (
    *(RUNS, RUN_DURATION, COMPONENT_INFO, LAST_OUTCOME, LAST_RUN, LAST_SUCCESS),
    *(EXPECTED_INTERVAL, STALE_INPUTS, FLAGGED_OUTPUTS, OLDEST_FLAG),
    *(TESTS, TEST_LAST_OUTCOME, TEST_LAST_RUN),
    *(OUTPUT_VALUES, OUTPUT_QUANTILE, OUTPUT_NULL_RATIO, OUTPUT_ROWS),
    *(OUTPUT_DRIFT_SCORE, OUTPUT_DRIFT_THRESHOLD),
)
"""What all exporters on one database show alike."""

PROCESS_METRICS = (
    *(BUILD, PANEL, LAST_POLL, POLL_DURATION, POLL_ERRORS, SERIES, SERIES_LIMIT, FOLDED),
    *(SERIES_DROPPED, STORE_LAG, LAST_DEAD_LETTER, SPANS, REQUESTS, RECEIVED),
    *(COMMIT_DURATION, COMMIT_SPANS, PENDING, CONNECTIONS, REPLICA_LAG),
)
"""What one exporter says of itself."""
