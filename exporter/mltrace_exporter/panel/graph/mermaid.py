"""A diagram as text that Mermaid draws: for issues, wikis, notebooks.

Source: https://mermaid.js.org/syntax/flowchart.html
"""

import re

from mltrace_exporter.panel.formats import shorten
from mltrace_exporter.panel.graph.diagram import Box, Diagram, Line, Mark

# Each mark with the shape and the colours that the panel's drawing has for it.
_SHAPES = {
    Mark.ERROR: ("{{", "}}"),
    Mark.TESTS_FAILED: ("{{", "}}"),
    Mark.ABORTED: ("[/", "/]"),
    Mark.STALE: ("([", "])"),
    Mark.FLAGGED: (">", "]"),
    Mark.RUNNING: ("(", ")"),
    None: ("(", ")"),
}
_CLASSES = """\
  classDef error fill:#fde9e7,stroke:#b0201a,color:#1a1f27
  classDef tests-failed fill:#fde9e7,stroke:#b0201a,color:#1a1f27
  classDef aborted fill:#eef0f4,stroke:#566072,color:#1a1f27,stroke-dasharray:4 3
  classDef stale fill:#fdf1d3,stroke:#7f5200,color:#1a1f27
  classDef flagged fill:#f3e8fd,stroke:#7a2fb5,color:#1a1f27
  classDef running fill:#e7edfd,stroke:#2a52c9,color:#1a1f27,stroke-dasharray:2 3
"""
# All that could mean something to Mermaid, Markdown or HTML is written as its number.
_SPECIAL = re.compile(r"[^\w ./:,()+=\N{MIDDLE DOT}\N{HORIZONTAL ELLIPSIS}-]")
_NAMES_SHOWN = 2


def write_mermaid(diagram: Diagram) -> str:
    """Return a diagram as a Mermaid flowchart, from what was read to what was made."""
    numbers = {box.key: f"n{number}" for number, box in enumerate(diagram.boxes)}
    lines = ["flowchart LR\n"]
    lines += [_write_box(numbers[box.key], box) for box in diagram.boxes]
    lines += [_write_line(line, numbers) for line in diagram.lines]
    return "".join(lines) + _CLASSES


def _write_box(number: str, box: Box) -> str:
    words = [mark.tell(many) if box.is_group else mark.word for mark, many in box.marks.items()]
    about = f"{len(box.runs)} runs" if box.is_group else f"run {box.run.id}"
    left, right = _SHAPES[box.gravest]
    label = "<br>".join(_escape(part) for part in (box.component, " · ".join([about, *words])))
    style = f":::{box.gravest}" if box.gravest else ""
    return f'  {number}{left}"{label}"{right}{style}\n'


def _write_line(line: Line, numbers: dict[str, str]) -> str:
    names = [shorten(name, 32) for name in line.names[:_NAMES_SHOWN]]
    more = len(line.names) - len(names)
    words = ", ".join([*names, f"+{more}"] if more else names)
    words += ", content changed outside" if line.changed_outside else ""
    arrow = "-.->" if line.is_declared or line.changed_outside else "-->"
    label = f'|"{_escape(words)}"|' if words else ""
    return f"  {numbers[line.producer]} {arrow}{label} {numbers[line.consumer]}\n"


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", shorten(text, 60))
