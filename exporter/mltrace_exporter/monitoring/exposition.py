"""Writes metrics as Prometheus reads them: a snapshot in, bytes in both its formats out.

The text format shows what a person reads in a browser; OpenMetrics has the runs behind the numbers,
too (exemplars). Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from mltrace_exporter.metrics import Kind, Metric
from mltrace_exporter.monitoring.snapshot import Distribution, Labels, Snapshot

_OPENMETRICS = "application/openmetrics-text"
_END = b"# EOF\n"
_Kind = TypeVar("_Kind", float, Distribution)


@dataclass(frozen=True, slots=True)
class Exposition:
    """The metrics of the store as they are served, in both formats."""

    text: bytes = b""
    openmetrics: bytes = b""


def expose(snapshot: Snapshot) -> Exposition:
    """Return the metrics of a snapshot, written."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(snapshot))
    write_text, _ = choose_encoder("")
    write_openmetrics, _ = choose_encoder(_OPENMETRICS)
    return Exposition(write_text(registry), write_openmetrics(registry).removesuffix(_END))


def answer(accept: str, exposition: Exposition, own: CollectorRegistry) -> tuple[bytes, str]:
    """Return the page and its content type, in the format that the asker prefers.

    Args:
        accept: the header of that name.
        exposition: what the store says.
        own: what this process says of itself; it is written now.
    """
    encode, content_type = choose_encoder(accept)
    is_openmetrics = content_type.startswith(_OPENMETRICS)
    written = exposition.openmetrics if is_openmetrics else exposition.text
    return written + encode(own), content_type


class _Shown(Collector):
    """A snapshot as prometheus_client takes it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        for metric in self._snapshot.values:
            yield _FAMILIES[metric.kind](metric, self._snapshot)


def _count(metric: Metric, snapshot: Snapshot) -> Family:
    name = metric.name.removesuffix("_total")
    family = CounterMetricFamily(name, metric.meaning, labels=metric.labels)
    for labels, value in _sort(metric, snapshot, float):
        family.add_metric(labels, value, exemplar=_exemplify(metric, labels, snapshot))
    return family


def _gauge(metric: Metric, snapshot: Snapshot) -> Family:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in _sort(metric, snapshot, float):
        family.add_metric(labels, value)
    return family


def _distribute(metric: Metric, snapshot: Snapshot) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in _sort(metric, snapshot, Distribution):
        buckets = list(_cumulate(value, _exemplify(metric, labels, snapshot)))
        family.add_metric(labels, buckets, value.sum)
    return family


def _sort(metric: Metric, snapshot: Snapshot, kind: type[_Kind]) -> Iterator[tuple[Labels, _Kind]]:
    """Return what a metric, whose values are all of one kind, says, in a lasting order."""
    for labels, value in sorted(snapshot.values[metric].items()):
        if isinstance(value, kind):
            yield labels, value


def _cumulate(
    value: Distribution, exemplar: Exemplar | None
) -> Iterator[tuple[str, float] | tuple[str, float, Exemplar]]:
    total, below = 0, float("-inf")
    for bound, count in zip((*value.bounds, float("inf")), value.counts, strict=True):
        total += count
        name = "+Inf" if bound == float("inf") else repr(float(bound))
        if exemplar and below < exemplar.value <= bound:
            yield name, total, exemplar
        else:
            yield name, total
        below = bound


def _exemplify(metric: Metric, labels: Labels, snapshot: Snapshot) -> Exemplar | None:
    example = snapshot.examples.get((metric, labels))
    if example is None:
        return None
    ids = {"trace_id": example.trace_id, "span_id": example.span_id}
    return Exemplar(ids, example.value, example.moment_s)


_FAMILIES = {Kind.COUNTER: _count, Kind.GAUGE: _gauge, Kind.HISTOGRAM: _distribute}
