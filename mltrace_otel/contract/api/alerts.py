"""What fires now."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertSeverity(StrEnum):
    """How urgent an alert is, the most urgent first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at.

    Attributes:
        name: of the alert.
        severity: how urgent it is.
        component: what it is about; None if it is about the exporter.
        owner: who answers for the component, if anybody said so.
        labels: what tells it from others of the same name.
        since: when it began.
        summary: what is the matter, in a few words.
        description: the same in a sentence or two, with what to do first.
        runbook_url: the page that says what to do.
        panel_path: the panel's page that shows more.
    """

    name: str
    severity: AlertSeverity
    component: str | None
    owner: str | None
    labels: dict[str, str]
    since: datetime
    summary: str
    description: str
    runbook_url: str
    panel_path: str
