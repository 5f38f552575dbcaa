from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrace_exporter.panel.graph.layout import BOX_HEIGHT, BOX_WIDTH, Layout, Link, lay_out


@st.composite
def lineages(draw: st.DrawFn) -> tuple[int, list[Link]]:
    """Boxes that all are reached from box 0, with lines beside, and some that lead back."""
    count = draw(st.integers(1, 24))
    links = {(draw(st.integers(0, box - 1)), box) for box in range(1, count)}
    boxes = st.integers(0, count - 1)
    links |= {link for link in draw(st.lists(st.tuples(boxes, boxes))) if link[0] != link[1]}
    return count, sorted(links)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < BOX_WIDTH and abs(one[1] - other[1]) < BOX_HEIGHT


@given(lineages())
def test_no_two_boxes_overlap_and_all_are_inside(lineage: tuple[int, list[Link]]) -> None:
    count, links = lineage
    layout = lay_out(count, links, mirrored=False)
    assert len(layout.spots) == count
    assert not any(overlap(*pair) for pair in combinations(layout.spots, 2))
    for x, y in layout.spots:
        assert 0 <= x <= layout.width - BOX_WIDTH
        assert -1e-6 <= y <= layout.height - BOX_HEIGHT + 1e-6


@given(lineages())
def test_lines_of_a_lineage_without_cycles_all_run_one_way(
    lineage: tuple[int, list[Link]],
) -> None:
    count, links = lineage
    forward = [link for link in links if link[0] < link[1]]
    layout = lay_out(count, forward, mirrored=False)
    assert all(layout.spots[near][0] < layout.spots[far][0] for near, far in forward)
    assert layout.spots[0][0] == 0


@given(lineages())
def test_the_same_lineage_is_drawn_the_same_way(lineage: tuple[int, list[Link]]) -> None:
    count, links = lineage
    assert lay_out(count, links, mirrored=True) == lay_out(count, links, mirrored=True)


@given(lineages())
def test_lanes_keep_clear_of_boxes_and_follow_each_other(
    lineage: tuple[int, list[Link]],
) -> None:
    count, links = lineage
    layout = lay_out(count, links, mirrored=False)
    for lanes in layout.lanes.values():
        assert all(here[0] < there[0] for here, there in pairwise(lanes))
        for x, y in lanes:
            assert not any(left == x and top < y < top + BOX_HEIGHT for left, top in layout.spots)


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_layer_of_many_boxes_is_broken_into_rows_between_which_lines_run(
    *, mirrored: bool
) -> None:
    count = 700
    links = [(0, box) for box in range(1, count - 1)] + [(box, count - 1) for box in range(1, 9)]
    layout = lay_out(count, links, mirrored=mirrored)
    assert not any(overlap(*pair) for pair in combinations(layout.spots, 2))
    assert 0.5 < layout.height / layout.width < 1
    assert len({x for x, _ in layout.spots}) > 10
    for (near, far), lanes in layout.lanes.items():
        ends = sorted((layout.spots[near][0], layout.spots[far][0]))
        for x, y in lanes:
            assert ends[0] < x < ends[1]
            assert not any(left == x and top < y < top + BOX_HEIGHT for left, top in layout.spots)


def test_a_mirrored_drawing_has_its_root_at_the_right() -> None:
    layout = lay_out(3, [(0, 1), (1, 2)], mirrored=True)
    assert [x for x, _ in layout.spots] == sorted((x for x, _ in layout.spots), reverse=True)


def test_what_leads_to_nothing_but_a_far_box_stands_before_it() -> None:
    layout = lay_out(4, [(0, 1), (1, 2), (3, 2)], mirrored=False)
    assert layout.spots[3][0] == layout.spots[1][0]


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_chain_is_a_straight_line(*, mirrored: bool) -> None:
    layout = lay_out(50, [(box, box + 1) for box in range(49)], mirrored=mirrored)
    assert len({y for _, y in layout.spots}) == 1
    assert layout.height == BOX_HEIGHT


def test_a_line_that_would_take_too_many_lanes_is_drawn_straight_across() -> None:
    count = 3000
    links = [(box, box + 1) for box in range(count - 1)]
    links += [(box, count - 1) for box in range(10)]
    layout = lay_out(count, links, mirrored=False)
    assert len(layout.lanes) < len(links)
    assert len(layout.spots) == count


def test_a_lone_box_fills_its_drawing() -> None:
    assert lay_out(1, [], mirrored=False) == Layout([(0.0, 0.0)], {}, BOX_WIDTH, BOX_HEIGHT)
