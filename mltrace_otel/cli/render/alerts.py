"""What fires, for a terminal."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from mltrace_otel.cli.render.layout import lines, section
from mltrace_otel.cli.render.words import ago, command, count, printable
from mltrace_otel.contract.api import Alert, AlertSeverity

_SHOWN = 50
_STYLES = {
    AlertSeverity.CRITICAL: "bold red",
    AlertSeverity.WARNING: "bold yellow",
    AlertSeverity.INFO: "bold cyan",
}


def render_alerts(alerts: Sequence[Alert], now: datetime) -> RenderableType:
    """Return each alert with what to do first, the most severe first."""
    if not alerts:
        return lines("No alert fires.")
    by_severity = Counter(alert.severity for alert in alerts)
    told = ", ".join(f"{by_severity[each]} {each}" for each in AlertSeverity if by_severity[each])
    hidden = len(alerts) - _SHOWN
    more = [Text(f"and {hidden:,} more: --json lists all", style="dim")] if hidden > 0 else []
    return Group(
        Text(f"{count(len(alerts), 'alert')} ({told})", style="bold"),
        *(_tell(alert, now) for alert in alerts[:_SHOWN]),
        *more,
        *_suggest(alerts),
    )


def _tell(alert: Alert, now: datetime) -> RenderableType:
    head = Text(printable(alert.summary), style=_STYLES[alert.severity], overflow="fold")
    about = [alert.severity, f"since {ago(alert.since, now)}"]
    if alert.owner is not None:
        about.append(f"owner {printable(alert.owner)}")
    return Group(
        "",
        head,
        Text(f"  {' · '.join(about)}", style="dim", overflow="fold"),
        Text(f"  {printable(alert.description)}", overflow="fold"),
        Text(f"  {printable(alert.runbook_url)}", style="dim", overflow="fold"),
    )


def _suggest(alerts: Sequence[Alert]) -> list[Group]:
    named = [alert.component for alert in alerts if alert.component]
    return [section("Next", command("history", named[0]))] if named else []
