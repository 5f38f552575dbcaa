"""Notes about a run."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from mltrace_otel.cli.render.layout import lines
from mltrace_otel.cli.render.words import ago, block, printable
from mltrace_otel.contract.api import Note, NotePage


def render_notes(page: NotePage, now: datetime) -> RenderableType:
    """Return the notes about a run, newest first."""
    if not page.items:
        return lines("There is no note about this run. To write one, give its text, too.")
    more = ["There are older ones: --limit shows more."] if page.next_cursor else []
    return lines(*list_notes(page.items, now), *(Text(line, style="dim") for line in more))


def list_notes(notes: Sequence[Note], now: datetime, *, name_run: bool = False) -> list[Text]:
    """Return what each note says under who said it and when."""
    parts = []
    for note in notes:
        whose = "the run itself" if note.id is None else printable(note.author or "somebody")
        run = f", about run {note.run_id}" if name_run else ""
        parts.append(Text(f"{whose}, {ago(note.noted_at, now)}{run}", style="dim"))
        parts.append(Text(block(note.text), overflow="fold"))
    return parts
