"""What asks for attention now, from memory: what fires, which tests failed when they last ran."""

import time
from dataclasses import dataclass

from fastapi import Request

from mltrace_exporter import metrics
from mltrace_exporter.monitoring.firing import find_alerts
from mltrace_exporter.monitoring.poller import Poller, State
from mltrace_otel.contract.api import Alert

_FAILED = {"failed", "errored"}


@dataclass(frozen=True, slots=True)
class Attention:
    """What somebody should look at.

    Attributes:
        alerts: what fires, the most severe first.
        failing: tests that failed when they last ran, as component, suite and case.
    """

    alerts: list[Alert]
    failing: list[tuple[str, str, str]]


def read_attention(request: Request) -> Attention:
    """Return what the exporter knew when it last read its database."""
    poller: Poller = request.app.state.poller
    state = poller.tell()
    if not state.snapshot.taken_s:
        return Attention([], [])
    return Attention(find_alerts(state.snapshot, time.time(), poller.links), _list_failing(state))


def _list_failing(state: State) -> list[tuple[str, str, str]]:
    outcomes = state.snapshot.values.get(metrics.TEST_LAST_OUTCOME, {})
    return sorted(
        (component, suite, case)
        for (component, suite, case, _, outcome), value in outcomes.items()
        if value == 1 and outcome in _FAILED
    )
