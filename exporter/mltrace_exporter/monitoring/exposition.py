"""Writes metrics as Prometheus reads them: a snapshot in, bytes in both its formats out.

The text format shows what a person reads in a browser; OpenMetrics has the runs behind the numbers,
too (exemplars). Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
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

_END = b"# EOF\n"
_Kind = TypeVar("_Kind", float, Distribution)


class Format(StrEnum):
    """How metrics are written; the value is the media type, empty of the text format."""

    TEXT = ""
    OPENMETRICS = "application/openmetrics-text"


class Exposition:
    """The metrics of the store as they are served.

    Each format is written once, when it is first asked for: to write all series takes longer than
    to read them, and most who ask take one of the formats.
    """

    def __init__(self, snapshot: Snapshot, formats: Iterable[Format] = ()) -> None:
        """Take what is to be said; ``formats`` are written now."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Shown(snapshot))
        self._written: dict[Format, bytes] = {}
        self._asked: set[Format] = set()
        for each in formats:
            self._write(each)

    @property
    def asked(self) -> frozenset[Format]:
        """The formats that somebody has asked for."""
        return frozenset(self._asked)

    @property
    def written(self) -> frozenset[Format]:
        """The formats that cost nothing any more."""
        return frozenset(self._written)

    def write(self, format_: Format) -> bytes:
        """Return the metrics in a format."""
        self._asked.add(format_)
        return self._written.get(format_) or self._write(format_)

    def _write(self, format_: Format) -> bytes:
        encode, _ = choose_encoder(format_)
        self._written[format_] = encode(self._registry).removesuffix(_END)
        return self._written[format_]


def answer(accept: str, exposition: Exposition, own: CollectorRegistry) -> tuple[bytes, str]:
    """Return the page and its content type, in the format that the asker prefers.

    Args:
        accept: the header of that name.
        exposition: what the store says.
        own: what this process says of itself; it is written now.
    """
    encode, content_type = choose_encoder(accept)
    is_openmetrics = content_type.startswith(Format.OPENMETRICS)
    written = exposition.write(Format.OPENMETRICS if is_openmetrics else Format.TEXT)
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
