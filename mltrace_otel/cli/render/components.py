"""Lists of components and of tags."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import Fitted, Name, lines, table
from mltrace_otel.cli.render.words import ago, printable
from mltrace_otel.contract.api import Component, Tag

_WIDE = 100


def render_components(components: Sequence[Component], now: datetime) -> RenderableType:
    """Return a table of components."""
    if not components:
        return lines("No component is recorded yet; the first run of a component records it.")
    return Fitted(lambda width: _tabulate(components, now, wide=width >= _WIDE))


def _tabulate(components: Sequence[Component], now: datetime, *, wide: bool) -> Table:
    built = table("Component", "Owner", "Tags", ">Runs", "Last run")
    if wide:
        built.add_column("Description")
    for component in components:
        built.add_row(
            Name(component.name),
            Name(component.owner or "-"),
            Text(printable(", ".join(component.tags)) or "-"),
            f"{component.run_count:,}",
            Text(ago(component.last_run_at, now), no_wrap=True),
            *([Text(printable(component.description or ""))] if wide else []),
        )
    return built


def render_tags(tags: Sequence[Tag], _now: datetime) -> RenderableType:
    """Return a table of tags."""
    if not tags:
        return lines('No component carries a tag: Component(..., tags=["finance"]) gives it one.')
    built = table("Tag", ">Components")
    for tag in tags:
        built.add_row(Name(tag.name), f"{tag.component_count:,}")
    return built
