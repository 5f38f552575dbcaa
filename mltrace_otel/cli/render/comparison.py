"""What differs between two runs, for a terminal."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from mltrace_otel.cli.render.layout import Name, section, table
from mltrace_otel.cli.render.words import ago, command, printable, status
from mltrace_otel.contract.api import Change, Comparison, RunSummary

_SENTENCES_SHOWN = 10
_UNCHANGED = {Change.SAME: ("the same", "green"), Change.UNKNOWN: ("not recorded of both", "dim")}


def render_comparison(comparison: Comparison, now: datetime) -> RenderableType:
    """Return both runs, and in which aspects they differ."""
    before, after = str(comparison.before.id), str(comparison.after.id)
    runs = table("Run", "Component", "Status", "Started")
    for run in (comparison.before, comparison.after):
        runs.add_row(str(run.id), Name(_name(run)), status(run), ago(run.started_at, now))
    aspects = table("Aspect", "What changed")
    for each in comparison.aspects:
        aspects.add_row(each.aspect.capitalize(), Group(*_tell(each.change, each.sentences)))
    suggested = command("drift", after, "--reference", f"run:{before}")
    return Group(runs, "", aspects, section("Next", suggested))


def _name(run: RunSummary) -> str:
    return f"{run.component} {run.partition}" if run.partition else run.component


def _tell(change: Change, sentences: list[str]) -> Iterator[Text]:
    for sentence in sentences[:_SENTENCES_SHOWN]:
        yield Text(printable(sentence), overflow="fold")
    if len(sentences) > _SENTENCES_SHOWN:
        yield Text(f"and {len(sentences) - _SENTENCES_SHOWN:,} more", style="dim")
    if not sentences:
        yield Text(*_UNCHANGED[change])
