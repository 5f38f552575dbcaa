import dataclasses
import re

import pytest
from lineages import make_sketch, make_sketched

from mltrace_exporter.panel.graph.diagram import View, make_diagram
from mltrace_exporter.panel.graph.drawing import MARGIN, draw
from mltrace_exporter.panel.graph.layout import BOX_HEIGHT, BOX_WIDTH

STOP = re.compile(r"[MCH]([^MCH]+)")


def ends(path: str) -> tuple[tuple[float, float], tuple[float, float]]:
    first, *_, last = STOP.findall(path.partition("m")[0])
    x, y = map(float, first.split())
    numbers = [float(number) for number in last.split()]
    return (x, y), (numbers[-2], numbers[-1]) if len(numbers) > 1 else (numbers[0], y)


@pytest.mark.parametrize("is_upstream", [True, False])
def test_data_runs_from_left_to_right(*, is_upstream: bool) -> None:
    depths = {3: 0, 2: 1, 1: 2} if is_upstream else {1: 0, 2: 1, 3: 2}
    trace = make_sketch(depths, (3, 2, "b"), (2, 1, "a"), (3, 1, "a"))
    drawing = draw(make_diagram(trace, is_upstream=is_upstream))
    spots = {placed.box.key: (placed.x, placed.y) for placed in drawing.boxes}
    assert spots["run-1"][0] < spots["run-2"][0] < spots["run-3"][0]
    for placed in drawing.lines:
        (left, top), (right, bottom) = ends(placed.path)
        producer, consumer = spots[placed.line.producer], spots[placed.line.consumer]
        assert (left, right) == (producer[0] + BOX_WIDTH, consumer[0])
        assert top == pytest.approx(producer[1] + BOX_HEIGHT / 2, abs=0.2)
        assert bottom == pytest.approx(consumer[1] + BOX_HEIGHT / 2, abs=0.2)


def test_components_that_read_from_each_other_are_drawn_both_ways() -> None:
    runs = [make_sketched(number, "ab"[number % 2]) for number in range(1, 5)]
    trace = make_sketch({4: 0, 3: 1, 2: 2, 1: 3}, (4, 3, "x"), (3, 2, "y"), (2, 1, "x"), runs=runs)
    drawing = draw(make_diagram(trace, is_upstream=True, view=View.COMPONENTS))
    assert len(drawing.boxes) == len(drawing.lines) == 2
    assert ends(drawing.lines[0].path) == ends(drawing.lines[1].path)[::-1]


def test_everything_is_inside_of_its_margins() -> None:
    drawing = draw(make_diagram(make_sketch({1: 0}), is_upstream=True))
    [placed] = drawing.boxes
    assert (placed.x, placed.y) == (MARGIN, MARGIN)
    assert (drawing.width, drawing.height) == (BOX_WIDTH + 2 * MARGIN, BOX_HEIGHT + 2 * MARGIN)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("training", "training"),
        ("a_component_whose_name_is_long", "a_compon…name_is_long"),
        ("データの前処理と特徴量の計算", "データの…と特徴量の計算"),
        ("", "(empty name)"),
    ],
)
def test_as_much_of_a_name_is_written_as_fits(name: str, title: str) -> None:
    trace = make_sketch({1: 0}, runs=[dataclasses.replace(make_sketched(1), component=name)])
    [placed] = draw(make_diagram(trace, is_upstream=True)).boxes
    assert placed.title == title
