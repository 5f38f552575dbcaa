"""Which run of this process last wrote a content. In: digests and span contexts. Out: the producer.

A consumer in the same process can so link to its producer, and Tempo and Jaeger show the way.
"""

import os
from collections import OrderedDict
from threading import RLock

from opentelemetry.trace import SpanContext

from mltrace_otel.digest import Digest

_LIMIT = 10_000
NEARLY_EMPTY_BYTES = 64


class Producers:
    """Remembers the newest producers, by digest."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._by_digest: OrderedDict[str, SpanContext] = OrderedDict()
        # A lock that its holder may take again: a signal's handler may run a component, too.
        self._lock = RLock()
        os.register_at_fork(after_in_child=self._renew_lock)

    def remember(self, digest: Digest, producer: SpanContext) -> None:
        """Take note of who wrote a content. Nearly empty ones say nothing about who made them."""
        if digest.size_bytes < NEARLY_EMPTY_BYTES:
            return
        with self._lock:
            self._by_digest.pop(digest.text, None)
            self._by_digest[digest.text] = producer
            if len(self._by_digest) > self._limit:
                self._by_digest.popitem(last=False)

    def find(self, digest: Digest) -> SpanContext | None:
        """Return the run of this process that last wrote a content."""
        with self._lock:
            return self._by_digest.get(digest.text)

    def _renew_lock(self) -> None:
        self._lock = RLock()


PRODUCERS = Producers()
