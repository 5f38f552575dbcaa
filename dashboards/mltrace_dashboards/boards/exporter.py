"""Exporter: whether runs arrive and are stored, and how far that is from its limits."""

from mltrace_dashboards.asking import ask_prometheus
from mltrace_dashboards.choices import SOURCES
from mltrace_dashboards.fields import (
    BAD_ABOVE_ZERO,
    FAILED,
    LOOK_ABOVE_ZERO,
    OK,
    PLAIN,
    STALE,
    colour_series,
    step,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import show_heatmap, show_series, show_stat, show_table, tell

_RATE = "[$__rate_interval]"

_UP = show_stat(
    "Exporters",
    "Exporters that answer Prometheus.",
    'sum(up{job="mltrace"}) or vector(0)',
    thresholds=step((None, FAILED), (1, OK)),
)
_READ = show_stat(
    "Metrics are this old",
    "How long ago an exporter last read its database for metrics. All metrics and alerts are as"
    " they were then.",
    "time() - max(mltrace_exporter_last_poll_timestamp_seconds)",
    unit="s",
    thresholds=step((None, OK), (60, STALE), (300, FAILED)),
    no_value="never read",
)
_LAG = show_stat(
    "From end to store",
    "How long after its end the run was stored that was stored last. It is long after an outage,"
    " while runs that waited come in.",
    "max(mltrace_exporter_store_lag_seconds)",
    unit="s",
    thresholds=PLAIN,
    no_value="nothing stored yet",
)
_REFUSED = show_stat(
    "Refused spans in the last hour",
    "Spans that cannot be stored. `mltrace db dead-letters` shows what was sent, and why it was"
    " refused.",
    'sum(increase(mltrace_exporter_spans_total{result="dead_lettered"}[1h])) or vector(0)',
    thresholds=BAD_ABOVE_ZERO,
)
_FOLDED = show_stat(
    "Folded series",
    "Series that the limit leaves no room for; they are shown together as `__other__`. Raise"
    " --metrics-series, or let names that change stay the same.",
    "max(mltrace_exporter_folded_series) or vector(0)",
    thresholds=LOOK_ABOVE_ZERO,
)
_ERRORS = show_stat(
    "Failed reads in the last hour",
    "Times that an exporter could not read its database. What was read before is still shown.",
    "sum(increase(mltrace_exporter_poll_errors_total[1h])) or vector(0)",
    thresholds=BAD_ABOVE_ZERO,
)
_SPANS = show_series(
    "Spans",
    "Spans a second, by what became of them. Other programs' spans are ignored; dead-lettered ones"
    " cannot be stored.",
    [ask_prometheus(f"sum by (result) (rate(mltrace_exporter_spans_total{_RATE}))", "{{result}}")],
    unit="cps",
    overrides=colour_series("stored", "duplicate", "ignored", "dead_lettered"),
)
_REQUESTS = show_series(
    "Requests",
    "OTLP requests a second, by answer. Those refused for now are sent again by the sender.",
    [
        ask_prometheus(
            f"sum by (answer) (rate(mltrace_exporter_requests_total{_RATE}))", "{{answer}}"
        )
    ],
    unit="reqps",
    overrides=colour_series("accepted", "refused", "malformed"),
)
_COMMITS = show_series(
    "Time to commit",
    "How long it takes to write and commit requests that share a commit. Senders wait for it.",
    [
        ask_prometheus(
            f"histogram_quantile({quantile}, sum by (le)"
            f" (rate(mltrace_exporter_commit_seconds_bucket{_RATE}))) >= 0",
            name,
        )
        for quantile, name in ((0.5, "median"), (0.99, "99th percentile"))
    ],
    unit="s",
)
_SHARED = show_heatmap(
    "Spans that share a commit",
    "The busier the exporter, the more requests share a commit.",
    ask_prometheus(
        f"sum by (le) (increase(mltrace_exporter_commit_spans_bucket{_RATE}))",
        "{{le}}",
        form="heatmap",
    ),
)
_BYTES = show_series(
    "Received",
    "OTLP a second, not compressed.",
    [
        ask_prometheus(
            f"sum by (instance) (rate(mltrace_exporter_received_bytes_total{_RATE}))",
            "{{instance}}",
        )
    ],
    unit="Bps",
)
_PENDING = show_series(
    "Waiting for their commit",
    "Bytes that were received and are not committed yet. When there are too many, requests are"
    " refused for now, and senders keep them.",
    [ask_prometheus("max by (instance) (mltrace_exporter_pending_bytes)", "{{instance}}")],
    unit="bytes",
)
_CONNECTIONS = show_series(
    "Database connections",
    "Connections in use.",
    [ask_prometheus("max by (instance) (mltrace_exporter_database_connections)", "{{instance}}")],
)
_SERIES = show_series(
    "Series",
    "Series that show what the database says, and how many there may be.",
    [
        ask_prometheus("max(mltrace_exporter_series)", "series"),
        ask_prometheus("max(mltrace_exporter_series_limit)", "limit"),
    ],
)
_POLLS = show_series(
    "Time to read the database",
    "How long it takes to read what metrics say.",
    [ask_prometheus("max by (instance) (mltrace_exporter_poll_duration_seconds)", "{{instance}}")],
    unit="s",
)
_BUILDS = show_table(
    "Versions",
    "Which version each exporter is. While they differ, an upgrade is going on or was forgotten.",
    ask_prometheus(
        "max by (instance, version) (mltrace_exporter_build_info)", instant=True, form="table"
    ),
    transformations=[
        {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-exporter",
    title="mltrace / Exporter",
    description="Whether runs arrive and are stored, and how far that is from its limits.",
    rows=[
        Row(
            "",
            [
                Strip(
                    4,
                    [
                        *((4, _UP), (4, _READ), (4, _LAG)),
                        *((4, _REFUSED), (4, _FOLDED), (4, _ERRORS)),
                    ],
                ),
                Strip(8, [(8, _REQUESTS), (8, _SPANS), (8, _COMMITS)]),
            ],
        ),
        Row(
            "Room that is left",
            [
                Strip(7, [(8, _PENDING), (8, _CONNECTIONS), (8, _SERIES)]),
                Strip(7, [(8, _BYTES), (8, _SHARED), (8, _POLLS)]),
                Strip(6, [(24, _BUILDS)]),
            ],
        ),
        tell(
            "Requests come in on the left and are answered after they are committed: when the"
            " database is slow, time to commit rises first, then bytes that wait, then requests are"
            " refused for now. No run is lost by that: senders and collectors keep it."
        ),
    ],
    variables=SOURCES,
)
