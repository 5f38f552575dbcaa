import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summarising import make_categorical, make_numeric, make_profile

from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.rules import Rule
from mltrace_otel.profiles.shapes import ColumnKind, Profile
from mltrace_otel.profiles.verdicts import DriftMethod, ProfileDrift

Draw = Callable[[random.Random], float | None]


def draw_numbers(seed: int, draw: Draw, rows: int = 500) -> Profile:
    rng = random.Random(seed)  # noqa: S311 - data
    return make_profile(make_numeric("delay", [draw(rng) for _ in range(rows)]))


def draw_names(seed: int, weights: dict[str, float], rows: int = 500) -> Profile:
    rng = random.Random(seed)  # noqa: S311 - data
    drawn = rng.choices(list(weights), list(weights.values()), k=rows)
    return make_profile(make_categorical("carrier", drawn))


def usual(rng: random.Random) -> float:
    return rng.gauss(10, 5)


def seconds(rng: random.Random) -> float:
    return 60 * rng.gauss(10, 5)


def tell(verdict: ProfileDrift) -> list[DriftMethod]:
    every = chain(verdict.deviations, *(column.deviations for column in verdict.columns))
    return [deviation.method for deviation in every if deviation.drifted]


def test_numbers_in_another_unit_are_drift() -> None:
    verdict = judge_profile(draw_numbers(0, seconds), [draw_numbers(1, usual)])

    [column] = verdict.columns
    assert tell(verdict) == [DriftMethod.PSI, DriftMethod.RANGE]
    assert column.psi is not None
    assert column.psi > 2
    assert column.ks is not None
    assert column.ks > 0.8
    assert verdict.sentences[0].startswith("delay: median went from ")
    assert verdict.sentences[0].endswith("(threshold 0.2)")


def test_a_small_shift_is_no_drift_however_certain() -> None:
    now = draw_numbers(0, lambda rng: rng.gauss(10.5, 5), 20_000)

    verdict = judge_profile(now, [draw_numbers(1, usual, 20_000)])

    [shape, _, _] = verdict.columns[0].deviations
    assert shape.p_value is not None
    assert shape.p_value < 1e-6
    assert not verdict.drifted


def test_noise_is_no_drift_however_large() -> None:
    verdicts = [
        judge_profile(draw_numbers(seed, usual, 50), [draw_numbers(100 + seed, usual, 50)])
        for seed in range(40)
    ]

    assert max(verdict.columns[0].psi or 0 for verdict in verdicts) > 0.2
    assert not any(verdict.drifted for verdict in verdicts)


def test_other_shares_of_categories_are_drift() -> None:
    before = [draw_names(1, {"UA": 1, "AA": 1, "B6": 1})]

    verdict = judge_profile(draw_names(0, {"UA": 8, "AA": 1, "B6": 1}), before)

    assert tell(verdict) == [DriftMethod.PSI]
    assert verdict.sentences[0].startswith("carrier: the share of UA went from 3")
    assert not judge_profile(draw_names(2, {"UA": 1, "AA": 1, "B6": 1}), before).drifted


def test_values_that_were_never_there_are_named() -> None:
    before = [draw_names(1, {"UA": 9, "AA": 1})]

    verdict = judge_profile(draw_names(0, {"UA": 9, "AA": 1, "ZZ": 0.35}), before)

    assert tell(verdict) == [DriftMethod.NEW_VALUES]
    assert verdict.sentences[0].endswith("are values that were never there: ZZ (threshold 2 %)")


def test_more_nulls_are_drift() -> None:
    def some(rng: random.Random) -> float | None:
        return None if rng.random() < 0.3 else usual(rng)

    verdict = judge_profile(draw_numbers(0, some), [draw_numbers(1, usual)])

    assert tell(verdict) == [DriftMethod.NULLS]
    assert "delay: nulls went from 0 % to" in verdict.sentences[0]


def test_only_nulls_are_drift_and_so_are_values_where_none_were() -> None:
    nothing = draw_numbers(0, lambda _: None)
    full = draw_numbers(0, usual)

    assert tell(judge_profile(nothing, [full])) == [DriftMethod.NULLS]
    assert tell(judge_profile(full, [nothing])) == [DriftMethod.NULLS]
    assert not judge_profile(nothing, [nothing]).drifted


def test_rows_that_are_missing_are_told_from_a_quiet_day() -> None:
    full = [draw_numbers(seed, usual, 500) for seed in range(3)]

    verdict = judge_profile(draw_numbers(9, usual, 100), full)
    assert tell(verdict) == [DriftMethod.ROWS]
    assert verdict.sentences == ["rows went from 500 to 100 (threshold: a factor of 2)"]
    assert not judge_profile(draw_numbers(9, usual, 300), full).drifted
    assert not judge_profile(draw_numbers(9, usual, 100), full, Rule(rows=None)).drifted
    weekend = [*full, draw_numbers(4, usual, 90)]
    assert not judge_profile(draw_numbers(9, usual, 100), weekend).drifted


def test_columns_that_came_went_or_became_something_else_are_told() -> None:
    numbers = [1.0, 2.0] * 50
    before = [make_profile(make_numeric("a", numbers), make_numeric("b", numbers))]
    now = make_profile(make_categorical("b", ["x"] * 100), make_numeric("c", numbers))

    assert judge_profile(now, before).sentences == [
        "column a is gone",
        "column c is new",
        "b is categorical, was numeric",
    ]


def test_a_column_that_is_another_in_every_run_is_no_drift() -> None:
    def month(number: int) -> Profile:
        stamp = make_numeric("month", [float(number)] * 400)
        named = make_categorical("day", [f"2013-{number:02}-{day:02}" for day in range(1, 21)] * 20)
        delays = draw_numbers(number, usual, 400).columns
        return make_profile(stamp, named, *delays)

    before = [month(number) for number in range(1, 8)]

    assert judge_profile(month(8), before).sentences == []


def test_a_bad_run_among_those_before_is_not_what_is_usual() -> None:
    before = [draw_numbers(seed, seconds if seed == 5 else usual) for seed in range(8)]

    assert not judge_profile(draw_numbers(20, usual), before).drifted
    assert judge_profile(draw_numbers(21, seconds), before).drifted


def test_moments_go_on_without_drift() -> None:
    def day(number: int) -> Profile:
        moments = make_numeric("at", [86_400.0 * number + second for second in range(200)])
        return make_profile(replace(moments, kind=ColumnKind.DATETIME))

    assert not judge_profile(day(15_001), [day(15_000)]).drifted


@pytest.mark.parametrize("measure", [DriftMethod.KS, DriftMethod.JENSEN_SHANNON])
def test_another_measure_can_be_chosen(measure: DriftMethod) -> None:
    rule = Rule(measure)
    before = [draw_numbers(1, usual)]

    assert tell(judge_profile(draw_numbers(0, seconds), before, rule))[0] is measure
    assert not judge_profile(draw_numbers(2, usual), before, rule).drifted
    strict = Rule(measure, threshold=0.01)
    shifted = draw_numbers(0, lambda rng: rng.gauss(12, 5))
    assert judge_profile(shifted, before, strict).drifted


FLOATS = st.none() | st.floats(allow_nan=False)


@st.composite
def _profiles(draw: st.DrawFn) -> Profile:
    columns = [
        make_numeric(name, draw(st.lists(FLOATS, max_size=12)))
        if draw(st.booleans())
        else make_categorical(name, draw(st.lists(st.text(max_size=2), max_size=60)))
        for name in draw(st.lists(st.sampled_from("abc"), unique=True))
    ]
    rows = draw(st.integers(0, 10**6))
    return Profile(rows, rows, tuple(columns))


@settings(max_examples=150, deadline=None)
@given(_profiles(), st.lists(_profiles(), max_size=5))
def test_any_profiles_get_a_verdict(now: Profile, before: Sequence[Profile]) -> None:
    verdict = judge_profile(now, before)

    assert [column.column for column in verdict.columns] == [each.name for each in now.columns]
    assert verdict.drifted == bool(verdict.sentences)


@settings(max_examples=60, deadline=None)
@given(_profiles(), st.integers(1, 5))
def test_what_is_the_same_has_not_drifted(now: Profile, times: int) -> None:
    assert judge_profile(now, [now] * times).sentences == []
