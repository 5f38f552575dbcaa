"""What the exporter counts about itself: what came in, what became of it, how long it took.

Counted in this process, since its start; what the database holds is told by `monitoring`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from mltrace_exporter import metrics

# When a counter began is a series of its own for each, and nothing reads it.
disable_created_metrics()  # type: ignore[no-untyped-call] # it is


class Tally(Collector):
    """Counts; all methods may be called from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._spans = Counter(**_describe(metrics.SPANS))
        self._requests = Counter(**_describe(metrics.REQUESTS))
        self._bytes = Counter(**_describe(metrics.RECEIVED))
        self._commit_s = Histogram(**_describe(metrics.COMMIT_DURATION))
        self._commit_spans = Histogram(**_describe(metrics.COMMIT_SPANS))
        self._pending = Gauge(**_describe(metrics.PENDING))
        self._pool = Gauge(**_describe(metrics.CONNECTIONS))
        self._lag = Gauge(**_describe(metrics.STORE_LAG))
        pool = engine.pool
        if isinstance(pool, QueuePool):
            self._pool.set_function(pool.checkedout)
        for result in ("stored", "duplicate", "ignored", "dead_lettered"):
            self._spans.labels(result)
        for answer in ("accepted", "refused", "malformed"):
            self._requests.labels(answer)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are ours alone."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the counts so far."""
        for metric in (self._spans, self._requests, self._bytes, self._commit_s):
            yield from metric.collect()
        for gauge in (self._commit_spans, self._pending, self._pool, self._lag):
            yield from gauge.collect()

    def count_request(self, answer: str) -> None:
        """Count a request: ``accepted``, ``refused`` or ``malformed``."""
        self._requests.labels(answer).inc()

    def count_bytes(self, size_bytes: int) -> None:
        """Count what a request holds."""
        self._bytes.inc(size_bytes)

    def count_spans(self, *, stored: int, duplicate: int, ignored: int, dead: int) -> None:
        """Count what became of a request's spans."""
        counts = {"stored": stored, "duplicate": duplicate, "ignored": ignored}
        for result, count in {**counts, "dead_lettered": dead}.items():
            self._spans.labels(result).inc(count)

    def count_commit(self, duration_s: float, spans: int) -> None:
        """Count a commit."""
        self._commit_s.observe(duration_s)
        self._commit_spans.observe(spans)

    def tell_pending(self, size_bytes: int) -> None:
        """Tell how much waits for its commit now."""
        self._pending.set(size_bytes)

    def tell_stored(self, ended_at: datetime) -> None:
        """Tell that a run has been stored that ended then."""
        self._lag.set(max(0.0, (datetime.now(UTC) - ended_at).total_seconds()))


def _describe(metric: metrics.Metric) -> dict[str, Any]:
    """Return what prometheus_client wants to know of a metric."""
    buckets = {"buckets": metric.buckets} if metric.buckets else {}
    return {
        "name": metric.name.removesuffix("_total"),
        "documentation": metric.meaning,
        "labelnames": metric.labels,
        "registry": None,
        **buckets,
    }
