"""Two snapshots of code to the lines that differ, with those around them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from markupsafe import Markup

from mltrace_exporter.panel.highlight import highlight_lines

_AROUND = 3


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of either snapshot.

    Attributes:
        mark: ``+`` if it is new, ``-`` if it is gone, a space if it stayed, ``…`` where lines that
            stayed are left out.
        number: of the line in the later snapshot, or of a line that is gone in the earlier.
        code: the line, highlighted.
    """

    mark: str
    number: int | None
    code: Markup


def compare_code(before: str, after: str, file_name: str | None) -> list[DiffLine]:
    """Return what changed between two snapshots; nothing if they are the same.

    Args:
        before: the earlier one.
        after: the later one.
        file_name: tells the language.
    """
    olds, news = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, olds, news, autojunk=False)
    shown = highlight_lines(before, file_name), highlight_lines(after, file_name)
    lines: list[DiffLine] = []
    for group in matcher.get_grouped_opcodes(_AROUND):
        if lines or group[0][3]:
            lines.append(DiffLine("…", None, Markup()))
        lines += _show_group(group, *shown)
    return lines


def _show_group(
    group: Sequence[tuple[str, int, int, int, int]],
    olds: Sequence[Markup],
    news: Sequence[Markup],
) -> Iterator[DiffLine]:
    for tag, old, old_end, new, new_end in group:
        if tag == "equal":
            yield from (DiffLine(" ", at + 1, news[at]) for at in range(new, new_end))
            continue
        yield from (DiffLine("-", at + 1, olds[at]) for at in range(old, old_end))
        yield from (DiffLine("+", at + 1, news[at]) for at in range(new, new_end))
