"""What waits on this machine, and what was sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import lines, section, table
from mltrace_otel.cli.render.words import ago, command, count, printable, size
from mltrace_otel.delivery.survey import Backlog, Survey


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the records of programs that have ended.

    Attributes:
        endpoint: where they were sent.
        sent: how many were taken.
        rejected: how many were refused, or damaged on disk, and are kept aside.
    """

    endpoint: str
    sent: int
    rejected: int


def render_status(survey: Survey, now: datetime) -> RenderableType:
    """Return what waits, whose it is, and what was refused."""
    waiting = sum(backlog.records for backlog in survey.backlogs if not backlog.is_unfinished)
    told: list[RenderableType] = [
        Text(f"{count(waiting, 'record')} of runs wait to be sent", style="bold"),
        *lines(
            f"in {printable(survey.folder)}, {size(survey.size_bytes)} of at most "
            f"{size(survey.limit_bytes)}"
        ).renderables,
    ]
    if survey.backlogs:
        told += ["", _tabulate(survey.backlogs, now)]
    if survey.rejected:
        told.append(_list_rejected(survey))
    if any(not backlog.is_alive for backlog in survey.backlogs):
        told.append(section("Next", command("spool", "send")))
    return Group(*told)


def render_sent(sent: Sent, survey: Survey) -> RenderableType:
    """Return how much was sent, and what remains."""
    return Group(*_tell_sent(sent, survey))


def _tell_sent(sent: Sent, survey: Survey) -> Iterator[RenderableType]:
    if not (sent.sent or sent.rejected):
        yield Text("No program that has ended left anything to send.")
    else:
        yield Text(f"{printable(sent.endpoint)} took {count(sent.sent, 'record')}.")
    if sent.rejected:
        text = f"! {count(sent.rejected, 'record')} refused, kept in {survey.rejected_folder}"
        yield Text(printable(text), style="yellow", overflow="fold")
    alive = {backlog.process for backlog in survey.backlogs if backlog.is_alive}
    if alive:
        verb = "runs and sends its" if len(alive) == 1 else "run and send their"
        yield Text(f"{count(len(alive), 'program')} {verb} own.", style="dim")


def _tabulate(backlogs: list[Backlog], now: datetime) -> Table:
    built = table(">Records", ">Size", "Since", "Program", "What")
    for backlog in backlogs:
        ended = f"{backlog.process}, has ended"
        built.add_row(
            f"{backlog.records:,}",
            size(backlog.size_bytes),
            ago(backlog.since, now),
            Text(f"{backlog.process}, runs" if backlog.is_alive else ended),
            _describe(backlog),
        )
    return built


def _describe(backlog: Backlog) -> str:
    if not backlog.is_unfinished:
        return "it sends them" if backlog.is_alive else "waits to be sent"
    return "runs that go on" if backlog.is_alive else "runs that were aborted"


def _list_rejected(survey: Survey) -> RenderableType:
    reasons = [f"{number:,}  {printable(reason)}" for reason, number in survey.rejected.items()]
    kept = f"kept in {printable(survey.rejected_folder)}"
    return section("Refused, by reason", lines(*reasons, Text(kept, style="dim", overflow="fold")))
