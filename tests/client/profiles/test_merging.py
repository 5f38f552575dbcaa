from collections import Counter
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from summarising import make_categorical, make_numeric, make_profile, summarise_values

from mltrace_otel.profiles.merging import (
    bound_hidden,
    merge_columns,
    merge_profiles,
    merge_values,
    summarise_numbers,
)
from mltrace_otel.profiles.shapes import (
    COLUMN_LIMIT,
    TOP_VALUES,
    Column,
    ColumnKind,
    Profile,
    Values,
)
from mltrace_otel.profiles.summaries import estimate_distinct

# Whole numbers, so that sums have no rounding.
NUMBERS = st.lists(st.none() | st.integers(-10_000, 10_000).map(float), max_size=20)
FEW = st.lists(st.sampled_from("abcdefgh"), max_size=20)
MANY = st.lists(st.integers(0, 300).map(lambda n: f"v{n % (n % 7 + 1)}-{n}"), max_size=400)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    numbers = draw(st.dictionaries(st.sampled_from(["x", "y", "z"]), NUMBERS, max_size=3))
    texts = draw(st.dictionaries(st.sampled_from(["x", "s", "t"]), FEW, max_size=3))
    columns = [make_numeric(name, values) for name, values in numbers.items()]
    columns += [make_categorical(name, values) for name, values in texts.items()]
    rows = draw(st.integers(0, 100))
    return Profile(rows, rows, tuple(columns))


@given(st.lists(profiles(), min_size=1, max_size=5), st.randoms())
def test_neither_order_nor_grouping_matters(parts: list[Profile], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one_by_one = reduce(lambda a, b: merge_profiles([b, a]), shuffled)

    assert merge_profiles([one_by_one]) == merge_profiles(parts)


@given(profiles(), profiles(), profiles())
def test_merging_is_associative(a: Profile, b: Profile, c: Profile) -> None:
    left = merge_profiles([merge_profiles([a, b]), c])

    assert left == merge_profiles([a, merge_profiles([b, c])])


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_a_merged_column_is_that_of_all_values(parts: list[list[float | None]]) -> None:
    merged = merge_columns([make_numeric("x", part) for part in parts])

    assert merged == make_numeric("x", [value for part in parts for value in part])


@given(st.lists(FEW, min_size=1, max_size=5))
def test_few_values_are_counted_exactly(parts: list[list[str]]) -> None:
    merged = merge_values([summarise_values(part) for part in parts])

    assert merged == summarise_values([text for part in parts for text in part])


@given(st.lists(MANY, min_size=1, max_size=5))
def test_of_many_values_no_count_is_too_large_or_too_small_by_more_than_is_said(
    parts: list[list[str]],
) -> None:
    merged = reduce(lambda a, b: merge_values([a, b]), map(summarise_values, parts))
    exact = Counter(text for part in parts for text in part)

    check_bounds(merged, exact)
    check_bounds(merge_values([summarise_values(part) for part in parts]), exact)


def check_bounds(merged: Values, exact: Counter[str]) -> None:
    assert len(merged.top) <= TOP_VALUES
    assert sum(count for _, count in merged.top) + merged.other == exact.total()
    for text, count in merged.top:
        assert count <= exact[text] <= count + merged.error
    hidden = set(exact) - dict(merged.top).keys()
    assert max((exact[text] for text in hidden), default=0) <= bound_hidden(merged)


@given(st.lists(MANY, min_size=1, max_size=5))
def test_sketches_merge_exactly(parts: list[list[str]]) -> None:
    merged = merge_values([summarise_values(part) for part in parts])

    assert merged.sketch == summarise_values([text for part in parts for text in part]).sketch


@pytest.mark.parametrize("distinct", [10, 63, 100, 5_000])
def test_distinct_values_are_estimated_within_their_bound(distinct: int) -> None:
    values = summarise_values([f"value {number}" for number in range(distinct)])

    assert estimate_distinct(values) == pytest.approx(distinct, rel=0 if distinct < 64 else 0.26)


def test_values_that_occur_once_are_named_only_where_there_are_few() -> None:
    few = summarise_values(["a", "b"])
    many = summarise_values(["twice", "twice", *map(str, range(100))])

    assert few.top == (("a", 1), ("b", 1))
    assert many.top == (("twice", 2),)
    assert many.other == 100


def test_columns_of_two_kinds_stay_two() -> None:
    merged = merge_profiles(
        [make_profile(make_numeric("x", [1.0])), make_profile(make_categorical("x", ["1"]))]
    )

    assert [(column.name, column.kind) for column in merged.columns] == [
        ("x", ColumnKind.CATEGORICAL),
        ("x", ColumnKind.NUMERIC),
    ]


def test_a_merger_has_no_more_columns_than_a_profile() -> None:
    left = Profile(1, 1, tuple(Column(f"a{n}", ColumnKind.NESTED, 1, 0) for n in range(150)))
    right = Profile(1, 1, tuple(Column(f"b{n}", ColumnKind.NESTED, 1, 0) for n in range(150)))
    merged = merge_profiles([left, right])

    assert len(merged.columns) == COLUMN_LIMIT
    assert merged.columns_left_out == 100


def test_sums_that_no_float_holds_are_infinite() -> None:
    large = summarise_numbers([1e308, 1e308])
    merged = merge_columns([Column("x", ColumnKind.NUMERIC, 2, 0, large)] * 2)

    assert merged.numbers is not None
    assert merged.numbers.total is None
    assert merged.numbers.maximum == 1e308
