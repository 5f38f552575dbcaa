"""What a search found."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from mltrace_otel.cli.render.components import render_components
from mltrace_otel.cli.render.layout import lines, section
from mltrace_otel.cli.render.notes import list_notes
from mltrace_otel.cli.render.words import command, printable
from mltrace_otel.contract.api import SearchAnswer


def render_found(found: SearchAnswer, now: datetime) -> RenderableType:
    """Return what was found, by kind."""
    parts: list[RenderableType] = []
    if found.components:
        parts.append(section("Components", render_components(found.components, now)))
    if found.pointers:
        names = (Text(printable(name), overflow="fold") for name in found.pointers)
        parts.append(section("Inputs and outputs", lines(*names)))
    if found.notes:
        parts.append(section("Notes", lines(*list_notes(found.notes, now, name_run=True))))
    if found.truncated:
        parts.append(Text("There is more: say more words, or --limit.", style="dim"))
    if found.pointers:
        parts.append(section("Next", command("trace", found.pointers[0])))
    return Group(*parts)
