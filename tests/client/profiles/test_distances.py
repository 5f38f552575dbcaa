import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mltrace_otel.profiles.distances import (
    Pair,
    find_chi_square_p,
    find_ks_p,
    limit_false_discoveries,
    measure_jensen_shannon,
    measure_ks,
    measure_psi,
    survive_chi_square,
)
from mltrace_otel.profiles.rules import MEASURES, THRESHOLDS

PAIRS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=20)


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 10, 51])
@pytest.mark.parametrize("statistic", [0.01, 1.0, 9.5, 60.0, 2000.0])
def test_the_chi_square_distribution_is_that_of_scipy(freedom: int, statistic: float) -> None:
    assert survive_chi_square(statistic, freedom) == pytest.approx(
        stats.chi2.sf(statistic, freedom), rel=1e-9, abs=1e-300
    )


def test_the_test_of_homogeneity_is_that_of_scipy() -> None:
    pairs = [(12.0, 30.0), (40.0, 35.0), (8.0, 21.0)]

    expected = stats.chi2_contingency(np.array(pairs), correction=False).pvalue
    assert find_chi_square_p(pairs) == pytest.approx(expected)
    assert find_chi_square_p([*pairs, (0.0, 0.0)]) == pytest.approx(expected)


@pytest.mark.parametrize(("distance", "now", "before"), [(0.3, 50, 50), (0.05, 1000, 500)])
def test_the_ks_test_is_near_that_of_scipy(distance: float, now: int, before: int) -> None:
    exact = stats.kstwo.sf(distance, round(now * before / (now + before)))
    assert find_ks_p(distance, now, before) == pytest.approx(exact, rel=0.1)


def test_thresholds_say_the_same_of_the_shift_of_a_bell_curve() -> None:
    edges = np.r_[-np.inf, stats.norm.ppf(np.arange(0.1, 1, 0.1)), np.inf]
    shares = zip(np.diff(stats.norm.cdf(edges - 0.46)), np.diff(stats.norm.cdf(edges)), strict=True)
    pairs = [(1e9 * now, 1e9 * before) for now, before in shares]

    for method, threshold in THRESHOLDS.items():
        assert MEASURES[method](pairs) == pytest.approx(threshold, rel=0.02)


@given(PAIRS)
def test_measures_are_numbers_within_their_bounds(pairs: list[Pair]) -> None:
    assert 0 <= measure_psi(pairs) < math.inf
    assert 0 <= measure_jensen_shannon(pairs) <= 1
    assert 0 <= measure_ks(pairs) <= 1 + 1e-9
    assert 0 <= find_chi_square_p(pairs) <= 1


@given(PAIRS)
def test_equal_counts_are_no_distance_apart(pairs: list[Pair]) -> None:
    same = [(before, before) for _, before in pairs]

    assert measure_psi(same) == 0
    assert measure_jensen_shannon(same) == 0
    assert measure_ks(same) == 0


def test_on_average_samples_of_one_distribution_are_next_to_no_distance_apart() -> None:
    rng = np.random.default_rng(1)
    drawn = [rng.multinomial(60, [0.1] * 10, size=2).T.tolist() for _ in range(400)]

    psi = [measure_psi([(now, before) for now, before in pairs]) for pairs in drawn]
    # What would be 0.3 on average if chance were left in.
    assert np.mean(psi) < 0.07


def test_of_many_findings_those_count_that_are_rarer_by_chance_than_they_are_many() -> None:
    assert limit_false_discoveries([0.04, 0.001, 0.011, 0.9], 0.05) == [False, True, True, False]
    assert limit_false_discoveries([0.04], 0.05) == [True]
    assert limit_false_discoveries([0.6, 0.2], 0.05) == [False, False]
    assert limit_false_discoveries([], 0.05) == []
