"""Pieces that fit themselves into the width they are given."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.words import printable

_NAME_WIDTH = 8


class Name:
    """A name in a cell; what does not fit is left out of its middle, where names differ least.

    Args:
        text: the name.
        more: how many names there are beside it.
    """

    def __init__(self, text: str, more: int = 0) -> None:
        self._text = printable(text)
        self._suffix = f" +{more:,}" if more else ""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        del console
        wanted = cell_len(self._text + self._suffix)
        return Measurement(min(wanted, _NAME_WIDTH), wanted).clamp(max_width=options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        width = max(1, options.max_width - len(self._suffix))
        yield Text(shorten(self._text, width) + self._suffix, no_wrap=True, overflow="crop")


class Fitted:
    """Something built for the width it is shown in, in columns."""

    def __init__(self, build: Callable[[int], RenderableType]) -> None:
        self._build = build

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        yield self._build(options.max_width)


def shorten(text: str, width: int) -> str:
    """Return ``text`` cut in the middle to at most ``width`` columns."""
    if cell_len(text) <= width:
        return text
    head = set_cell_size(text, (width - 1) // 2)
    tail = set_cell_size(text[::-1], width // 2)[::-1]
    return f"{head}…{tail}"


def names(first: Sequence[str], total: int) -> Name | Text:
    """Return a cell that shows the first of ``total`` names."""
    return Name(first[0], more=total - 1) if first else Text("-", style="dim")


def table(*columns: str) -> Table:
    """Return an empty table; a column whose title begins with > has its values at the right."""
    built = Table(box=None, padding=(0, 2, 0, 0), header_style="bold underline", pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        built.add_column(column.removeprefix(">"), justify="right" if right else "left")
    return built


def section(title: str, content: RenderableType) -> Group:
    """Return ``content`` under a title, with an empty line above."""
    return Group("", Text(title, style="bold"), Padding(content, (0, 0, 0, 2)))


def lines(*texts: str | Text) -> Group:
    """Return lines, each folded rather than cropped where it is too long."""
    return Group(
        *(Text(text, overflow="fold") if isinstance(text, str) else text for text in texts)
    )
