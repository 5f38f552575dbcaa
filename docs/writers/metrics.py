"""The page about the metrics."""

from mltrace_exporter.metrics import PROCESS_METRICS, STORE_METRICS, Metric

_METRICS = """\
# Metrics

<!-- Written by docs/generate.py from mltrace_exporter/metrics.py: change it there. -->

The exporter serves them at `/metrics`, in the text format and, for those that ask for it, as
OpenMetrics with exemplars: the trace id and span id of a run behind a number. Batch jobs expose
nothing. Any number of exporters on one database show the same; add their values up and each run
counts twice, so take the `max` of them, as [the rules](../how-to/alerting.md) do.

- The database is read every 15 seconds (`--metrics-interval`), whoever asks; how long ago is told
  by `mltrace_exporter_last_poll_timestamp_seconds`. If it cannot be read, what it said before is
  shown. What is usual, and what is stale, is found out every twentieth time.
- Totals are kept when runs are stored: deleting old runs does not make them fall. Every outcome of
  a component or a test that is known is shown from 0.
- There are at most 10,000 series of what the database says (`--metrics-series`). Components, tests
  and outputs that do not fit are shown together with `component="__other__"`, those last that
  somebody should look at; `mltrace_exporter_folded_series` tells how many series that saves. A
  component takes about 30.
- Names are cut at 200 characters and control characters spelt out; a name changed so ends in `~`
  and a mark of its own.
"""


def render_metrics() -> str:
    """Return the page about the metrics."""
    return "\n".join(
        [
            _METRICS,
            "## What the database says\n",
            "The same on every exporter of one database.\n",
            *map(_render_metric, STORE_METRICS),
            "## What one exporter says of itself\n",
            *map(_render_metric, PROCESS_METRICS),
        ]
    )


def _render_metric(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    bounds = ", ".join(f"{bound:g}" for bound in metric.buckets)
    buckets = f" Buckets up to {bounds}." if bounds else ""
    return f"### {metric.name}\n\n{metric.kind}, labels: {labels}. {metric.meaning}{buckets}\n"
