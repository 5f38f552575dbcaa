import pytest
from hypothesis import given
from hypothesis import strategies as st
from summarising import make_categorical, make_numeric

from mltrace_exporter.panel.charts import BINS, HEIGHT, WIDTH, draw_column, write_number
from mltrace_otel.profiles.shapes import Column, ColumnKind

NUMBERS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), min_size=1, max_size=60
)


@given(NUMBERS, NUMBERS)
def test_bins_share_out_all_numbers_and_stay_inside_of_the_picture(
    now: list[float], before: list[float]
) -> None:
    chart = draw_column(make_numeric("x", now), make_numeric("x", before))
    assert chart
    assert len(chart.bars) == BINS
    assert sum(bar.now for bar in chart.bars) == pytest.approx(1)
    assert sum(bar.before or 0 for bar in chart.bars) == pytest.approx(1)
    for left, top, width, height in chart.rects():
        assert 0 <= left <= left + width <= WIDTH
        assert top >= 0
        assert top + height == pytest.approx(HEIGHT)


def test_bins_of_both_runs_are_the_same_so_that_a_shift_is_seen() -> None:
    chart = draw_column(make_numeric("x", range(100)), make_numeric("x", range(100, 200)))
    assert chart
    now = [bar.now > 0 for bar in chart.bars]
    before = [(bar.before or 0) > 0 for bar in chart.bars]
    assert now[:10] == before[-10:] == [True] * 10
    assert not any(now[-10:])
    assert not any(before[:10])


def test_the_largest_numbers_there_are_can_be_drawn() -> None:
    for numbers in ([-1.7e308, 1.7e308, 1e308], [1.0, -7e305, -9e307]):
        chart = draw_column(make_numeric("x", numbers))
        assert chart
        assert sum(bar.now for bar in chart.bars) == pytest.approx(1)


def test_a_constant_is_one_bar_in_the_middle() -> None:
    chart = draw_column(make_numeric("x", [3.0] * 5))
    assert chart
    assert [number for number, bar in enumerate(chart.bars) if bar.now] in (
        [BINS // 2],
        [BINS // 2 - 1],
    )
    assert (chart.low, chart.high) == ("1.5", "4.5")


def test_values_are_listed_with_what_they_were() -> None:
    chart = draw_column(
        make_categorical("x", ["a", "a", "b", "c"]), make_categorical("x", ["a", "b"])
    )
    assert chart
    assert not chart.is_ordered
    assert [(bar.label, bar.now, bar.before) for bar in chart.bars] == [
        ("a", 0.5, 0.5),
        ("b", 0.25, 0.5),
        ("c", 0.25, 0.0),
    ]
    assert chart.words == "a 50 %, b 25 %, c 25 %"


def test_moments_are_written_as_dates() -> None:
    numbers = make_numeric("x", [0.0, 86_400.0 * 365]).numbers
    chart = draw_column(Column("x", ColumnKind.DATETIME, 2, 0, numbers))
    assert chart
    assert (chart.low, chart.high) == ("1970-01-01", "1970-12-31")


def test_what_was_of_another_kind_is_no_reference() -> None:
    chart = draw_column(make_numeric("x", [1.0, 2.0]), make_categorical("x", ["a"]))
    assert chart
    assert chart.outline() == ""


def test_a_column_of_nothing_cannot_be_drawn() -> None:
    assert draw_column(make_numeric("x", [None, None])) is None
    assert draw_column(make_categorical("x", [])) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0"),
        (3.0, "3"),
        (0.012345, "0.01235"),
        (1234.5, "1,234"),
        (1.5e9, "1.5e+09"),
        (-2e-5, "-2e-05"),
    ],
)
def test_a_number_is_written_with_about_four_digits(value: float | None, words: str) -> None:
    assert write_number(value) == words
