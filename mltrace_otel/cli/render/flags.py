"""What was flagged or resolved, and the review of what flagged outputs have in common."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import Name, lines, section, table
from mltrace_otel.cli.render.words import ago, command, count, printable, status, warnings
from mltrace_otel.contract.api import Candidate, FlagChange, Review

_FLAGS_SHOWN = 10


def render_flagged(change: FlagChange, _now: datetime) -> RenderableType:
    """Return what is flagged now, and what already was."""
    told = [
        *_tell("Flagged", sorted(flag.output for flag in change.changed)),
        *_tell("Already flagged", change.unchanged),
    ]
    return Group(*told, section("Next", command("review")))


def render_unflagged(change: FlagChange, _now: datetime) -> RenderableType:
    """Return whose flags are resolved, and what was not flagged."""
    told = [
        *_tell("Unflagged", sorted(flag.output for flag in change.changed)),
        *_tell("Not flagged before", change.unchanged),
    ]
    return Group(*(told or [Text("No output was flagged.")]))


def _tell(did: str, outputs: Sequence[str]) -> Iterator[Text]:
    if not outputs:
        return
    yield Text(f"{did} ({len(outputs):,})", style="bold")
    for output in outputs[:_FLAGS_SHOWN]:
        yield Text(f"  {printable(output)}", overflow="fold")
    if len(outputs) > _FLAGS_SHOWN:
        yield Text(f"  and {len(outputs) - _FLAGS_SHOWN:,} more", style="dim")


def render_review(review: Review, now: datetime) -> RenderableType:
    """Return the flagged outputs, and the runs behind them ranked."""
    if not review.flag_count:
        return lines(
            "No output is flagged. Flag those that are wrong to see which runs they share:",
            Text("  ").append_text(command("flag", "OUTPUT")),
        )
    ranked: list[RenderableType] = [
        _candidate(rank, candidate, review, now)
        for rank, candidate in enumerate(review.candidates, start=1)
    ]
    nobody = "None of them was written by a run that is recorded."
    return Group(
        Text(count(review.flag_count, "flagged output"), style="bold"),
        _list_flags(review, now),
        section(f"Runs behind them, by {review.sort}", Group(*(ranked or [nobody]))),
        section("Next", lines(*_suggest(review))),
    )


def _list_flags(review: Review, now: datetime) -> RenderableType:
    built = table("Output", "Flagged", "By", "Severity", "Reason")
    for flag in review.flags[:_FLAGS_SHOWN]:
        by, severity = printable(flag.flagged_by or "-"), flag.severity or "-"
        cells = [ago(flag.flagged_at, now), by, severity]
        built.add_row(Name(flag.output), *cells, Text(printable(flag.reason or "-")))
    hidden = review.flag_count - built.row_count
    more = [Text(f"and {hidden:,} more", style="dim")] if hidden else []
    return Group(built, *more)


def _candidate(rank: int, candidate: Candidate, review: Review, now: datetime) -> Table:
    run = candidate.run
    head = Text(printable(run.component), style="bold", overflow="fold")
    head.append(f" (run {run.id}) · {ago(run.started_at, now)} · ", style="not bold dim")
    head.append_text(status(run))
    involved = (
        f"coverage {candidate.coverage:.2%} ({candidate.flagged_with:,} of {review.flag_count:,}"
        f" flagged outputs, {candidate.unflagged_with:,} unflagged)"
        f" · suspicion {candidate.suspicion:.2f}"
    )
    grid = Table.grid(padding=(0, 1))
    grid.add_column(justify="right")
    grid.add_column(overflow="fold")
    grid.add_row(f"{rank}.", lines(head, involved, *warnings(candidate.evidence)))
    return grid


def _suggest(review: Review) -> Iterator[Text]:
    if review.candidates:
        yield command("inspect", str(review.candidates[0].run.id))
    if review.flags:
        yield command("trace", review.flags[0].output)
        yield command("unflag", review.flags[0].output)
