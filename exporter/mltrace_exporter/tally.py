"""What the exporter counts about itself: what came in, what became of it, how long it took.

Counted in this process, since its start; what the database holds is told by `metrics`.
"""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16384)


class Tally(Collector):
    """Counts; all methods may be called from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._spans = Counter(
            "mltrace_exporter_spans",
            "Spans that were answered with success, by what became of them.",
            ["result"],
            registry=None,
        )
        self._requests = Counter(
            "mltrace_exporter_requests",
            "OTLP requests by answer: accepted, refused for now, malformed.",
            ["answer"],
            registry=None,
        )
        self._bytes = Counter(
            "mltrace_exporter_received_bytes", "Bytes of OTLP, not compressed.", registry=None
        )
        self._commit_s = Histogram(
            "mltrace_exporter_commit_seconds",
            "Time to write and commit requests that share a commit.",
            buckets=_SECONDS,
            registry=None,
        )
        self._commit_spans = Histogram(
            "mltrace_exporter_commit_spans",
            "Spans that shared a commit.",
            buckets=_SIZES,
            registry=None,
        )
        self._pending = Gauge(
            "mltrace_exporter_pending_bytes", "Bytes that wait for their commit.", registry=None
        )
        self._pool = Gauge(
            "mltrace_exporter_database_connections", "Connections in use.", registry=None
        )
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
        for gauge in (self._commit_spans, self._pending, self._pool):
            yield from gauge.collect()

    def count_request(self, answer: str, size_bytes: int) -> None:
        """Count a request: ``accepted``, ``refused`` or ``malformed``."""
        self._requests.labels(answer).inc()
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
