"""Which alerts fire now, by the same definitions as in Prometheus and without it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from mltrace_exporter import metrics
from mltrace_exporter.monitoring.conditions import Condition, Match, Sign
from mltrace_exporter.monitoring.definitions import DEFINITIONS, Definition
from mltrace_exporter.monitoring.links import NO_LINKS, Links
from mltrace_exporter.monitoring.snapshot import Snapshot, Values
from mltrace_exporter.monitoring.wording import fill_in
from mltrace_otel.contract.api import Alert, AlertSeverity

_SEVEREST_FIRST = list(AlertSeverity)


def find_alerts(
    snapshot: Snapshot,
    now_s: float,
    links: Links = NO_LINKS,
    definitions: Iterable[Definition] = DEFINITIONS,
) -> list[Alert]:
    """Return what fires, the most severe first, then what has fired for longest.

    Whether an exporter answers, or Prometheus knows one, cannot be told from within.

    Args:
        snapshot: what the store said last.
        now_s: the time it is, in seconds since 1970.
        links: where people find the pages of alerts.
        definitions: of which alerts.
    """
    seen = _add_own(snapshot, now_s)
    firing = [alert for each in definitions for alert in _evaluate(each, seen, links)]
    return sorted(
        firing,
        key=lambda alert: (_SEVEREST_FIRST.index(alert.severity), alert.since, alert.name),
    )


def _add_own(snapshot: Snapshot, now_s: float) -> Snapshot:
    """Return the snapshot as it is seen now, with what the exporter says of itself."""
    own: Values = {
        metrics.LAST_POLL: {(): snapshot.taken_s},
        metrics.FOLDED: {(): float(snapshot.folded)},
        metrics.LAST_DEAD_LETTER: {(): snapshot.last_dead_letter_s},
    }
    return replace(snapshot, taken_s=now_s, values={**snapshot.values, **own})


def _evaluate(definition: Definition, snapshot: Snapshot, links: Links) -> Iterator[Alert]:
    if isinstance(definition.condition, str):
        return
    for match in definition.condition.evaluate(snapshot):
        since_s = _find_beginning(definition, definition.condition, match, snapshot)
        if snapshot.taken_s - since_s >= definition.wait_s:
            owner = snapshot.owners.get(match.labels.get("component", ""))
            runbook_url = f"{links.runbooks}/{definition.name}"
            yield _shape_alert(definition, match, since_s, owner, runbook_url)


def _find_beginning(
    definition: Definition, condition: Condition, match: Match, snapshot: Snapshot
) -> float:
    if condition.is_age:
        began_s = snapshot.taken_s - match.value
        return began_s + match.limit if condition.sign is Sign.ABOVE else began_s
    if definition.began is None:
        return snapshot.taken_s
    labels = tuple(match.labels[name] for name in definition.began.labels)
    value = snapshot.values[definition.began].get(labels, snapshot.taken_s)
    return value if isinstance(value, float) else snapshot.taken_s


def _shape_alert(
    definition: Definition, match: Match, since_s: float, owner: str | None, runbook_url: str
) -> Alert:
    return Alert(
        name=definition.name,
        severity=definition.severity,
        component=match.labels.get("component"),
        owner=owner,
        labels=match.labels,
        since=datetime.fromtimestamp(since_s, UTC),
        summary=fill_in(definition.summary, match.labels, match.value),
        description=fill_in(definition.description, match.labels, match.value),
        runbook_url=runbook_url,
        panel_path=fill_in(definition.panel_path, match.labels, match.value),
    )
