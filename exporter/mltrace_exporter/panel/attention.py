"""What asks for attention now, from memory: what fires, which tests failed when they last ran."""

import time
from dataclasses import dataclass

from fastapi import Request

from mltrace_exporter import metrics
from mltrace_exporter.monitoring.firing import find_alerts
from mltrace_exporter.monitoring.poller import Poller, State
from mltrace_otel.contract.api import Alert

_FAILED = {"failed", "errored"}
_FOLDED = (metrics.OVERFLOW, "", "")
_MEMORY_S = 10


@dataclass(frozen=True, slots=True)
class Attention:
    """What somebody should look at.

    Attributes:
        alerts: what fires, the most severe first.
        failing: tests that failed when they last ran, as component, suite and case.
        others_fail: whether others failed, too, whose names the limit on series left no room for.
    """

    alerts: list[Alert]
    failing: list[tuple[str, str, str]]
    others_fail: bool = False


class Watch:
    """Remembers for some seconds what asks for attention, however many look.

    Of thousands of components it takes a tenth of a second to find out.
    """

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._seen: tuple[object, float, Attention] = (None, 0.0, Attention([], []))

    def tell(self) -> Attention:
        """Return what the exporter knew when it last read its database."""
        state = self._poller.tell()
        of, looked_s, attention = self._seen
        now_s = time.time()
        if of is not state or now_s - looked_s > _MEMORY_S:
            attention = _look(self._poller, state, now_s)
            self._seen = (state, now_s, attention)
        return attention


def read_attention(request: Request) -> Attention:
    """Return what asks for attention; see `Watch`."""
    watch: Watch = request.app.state.watch
    return watch.tell()


def _look(poller: Poller, state: State, now_s: float) -> Attention:
    if not state.snapshot.taken_s:
        return Attention([], [])
    failing = _list_failing(state)
    named = [test for test in failing if test != _FOLDED]
    alerts = find_alerts(state.snapshot, now_s, poller.links)
    return Attention(alerts, named, others_fail=len(named) < len(failing))


def _list_failing(state: State) -> list[tuple[str, str, str]]:
    outcomes = state.snapshot.values.get(metrics.TEST_LAST_OUTCOME, {})
    return sorted(
        (component, suite, case)
        for (component, suite, case, _, outcome), value in outcomes.items()
        if value == 1 and outcome in _FAILED
    )
