"""What the exporter says of itself beside what `tally` counts: version, links, polling."""

import importlib.metadata
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from mltrace_exporter import metrics
from mltrace_exporter.metrics import Kind, Metric
from mltrace_exporter.monitoring.poller import Poller


class Health(Collector):
    """Tells of a poller."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller

    def describe(self) -> Iterable[Family]:
        """Return nothing: the names are ours alone."""
        return []

    def collect(self) -> Iterator[Family]:
        """Return how polling went so far."""
        version = importlib.metadata.version("mltrace-otel")
        yield _show(metrics.BUILD, 1, version)
        links = self._poller.links
        yield _show(metrics.PANEL, 1, links.panel, links.runbooks)
        state = self._poller.tell()
        values = {
            metrics.LAST_POLL: state.snapshot.taken_s,
            metrics.POLL_DURATION: state.duration_s,
            metrics.POLL_ERRORS: state.errors,
            metrics.SERIES: state.snapshot.series,
            metrics.SERIES_LIMIT: self._poller.series_limit,
            metrics.FOLDED: state.snapshot.folded,
            metrics.SERIES_DROPPED: state.dropped,
            metrics.LAST_DEAD_LETTER: state.snapshot.last_dead_letter_s,
        }
        if state.snapshot.replica_lag_s is not None:
            values[metrics.REPLICA_LAG] = state.snapshot.replica_lag_s
        for metric, value in values.items():
            yield _show(metric, value)


def _show(metric: Metric, value: float, *labels: str) -> Family:
    name = metric.name.removesuffix("_total")
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(name, metric.meaning, labels=metric.labels)
    family.add_metric(labels, value)
    return family
