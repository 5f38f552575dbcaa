"""A diagram with coordinates: what the template ``drawing.svg`` renders."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from unicodedata import east_asian_width

from mltrace_exporter.panel.formats import count, shorten, visible
from mltrace_exporter.panel.graph.diagram import Box, Diagram, Line
from mltrace_exporter.panel.graph.layout import BOX_HEIGHT, BOX_WIDTH, Layout, lay_out

MARGIN = 24
_TITLE_LEFT, _PADDING, _MARK_WIDTH = 40, 8, 19
# How wide letters of the title are, in pixels; those of East Asia fill a square.
_LETTER, _LETTER_WIDTHS = 7.6, {"W": 13.0, "F": 13.0}
_ARROW = 6
_NAMES_SHOWN = 5

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box, where its left upper corner is, what fits as its title, all in words, its size."""

    box: Box
    x: float
    y: float
    title: str
    words: str
    width: int = BOX_WIDTH
    height: int = BOX_HEIGHT


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line, its way as the ``d`` of an SVG path, and what it stands for in words."""

    line: Line
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing, its width and its height in pixels; boxes are nearest first."""

    diagram: Diagram
    boxes: list[PlacedBox]
    lines: list[PlacedLine]
    width: int
    height: int


def draw(diagram: Diagram) -> Drawing:
    """Return where each box and line of a diagram is drawn, data running from left to right."""
    numbers = {box.key: number for number, box in enumerate(diagram.boxes)}
    links = [_point_away(line, diagram, numbers) for line in diagram.lines]
    root = numbers[diagram.root]
    layout = lay_out(len(numbers), links, root=root, mirrored=diagram.is_upstream)
    boxes = [
        PlacedBox(box, round(x + MARGIN, 1), round(y + MARGIN, 1), _fit_title(box), _tell(box))
        for box, (x, y) in zip(diagram.boxes, layout.spots, strict=True)
    ]
    lines = [
        PlacedLine(
            line,
            _draw_path(numbers[line.producer], numbers[line.consumer], layout),
            _title_line(line),
        )
        for line in diagram.lines
    ]
    margins = 2 * MARGIN
    return Drawing(
        diagram, boxes, lines, round(layout.width + margins), round(layout.height) + margins
    )


def _title_line(line: Line) -> str:
    names = ", ".join(shorten(name) for name in line.names[:_NAMES_SHOWN]) or "declared by hand"
    more = f", {len(line.names) - _NAMES_SHOWN:,} more" if len(line.names) > _NAMES_SHOWN else ""
    return f"{names}{more}{': content changed outside' if line.changed_outside else ''}"


def _fit_title(box: Box) -> str:
    """Return so much of the component's name as has room beside the marks of its only run."""
    marks = 0 if box.is_group else max(len(box.marks) - 1, 0)
    room = BOX_WIDTH - _TITLE_LEFT - _PADDING - marks * _MARK_WIDTH
    name = visible(box.component)
    ratio = room / _measure(name)
    return name if ratio >= 1 else shorten(name, int(len(name) * ratio))


def _measure(text: str) -> float:
    if text.isascii():
        return len(text) * _LETTER
    return sum(_LETTER_WIDTHS.get(east_asian_width(letter), _LETTER) for letter in text)


def _tell(box: Box) -> str:
    """Return in words what a box stands for."""
    runs = count(len(box.runs), "run") if box.is_group else f"run {box.run.id}"
    marks = [mark.tell(many) if box.is_group else mark.word for mark, many in box.marks.items()]
    return ", ".join([shorten(box.component, 80), runs, *marks])


def _point_away(line: Line, diagram: Diagram, numbers: dict[str, int]) -> tuple[int, int]:
    producer, consumer = numbers[line.producer], numbers[line.consumer]
    return (consumer, producer) if diagram.is_upstream else (producer, consumer)


def _draw_path(producer: int, consumer: int, layout: Layout) -> str:
    """Return the way from a box to one that read from it, through the line's lanes."""
    found = layout.lanes.get((producer, consumer)) or layout.lanes.get((consumer, producer), [])
    start, end = layout.spots[producer], layout.spots[consumer]
    is_forward = start[0] < end[0]
    lanes = ([(x, y), (x + BOX_WIDTH, y)] for x, y in sorted(found))
    stops = list(chain.from_iterable(lanes))
    return _curve(
        [
            _leave(start, right=is_forward),
            *(stops if is_forward else reversed(stops)),
            _leave(end, right=not is_forward),
        ]
    )


def _leave(spot: Point, *, right: bool) -> Point:
    return spot[0] + (BOX_WIDTH if right else 0), spot[1] + BOX_HEIGHT / 2


def _curve(points: Sequence[Point]) -> str:
    """Return a path that bends between layers, runs straight through them and ends in an arrow."""
    shifted = [(x + MARGIN, y + MARGIN) for x, y in points]
    (x, y), rest = shifted[0], shifted[1:]
    parts = [f"M{x:.0f} {y:.1f}"]
    for next_x, next_y in rest:
        if next_y == y:
            parts.append(f"H{next_x:.0f}")
        else:
            half = (x + next_x) / 2
            parts.append(f"C{half:.0f} {y:.1f} {half:.0f} {next_y:.1f} {next_x:.0f} {next_y:.1f}")
        x, y = next_x, next_y
    back = -_ARROW if points[0][0] < points[-1][0] else _ARROW
    tip = f"m{back} -{_ARROW * 2 / 3:.0f}L{x:.0f} {y:.1f}l{back} {_ARROW * 2 / 3:.0f}"
    return "".join(parts) + tip
