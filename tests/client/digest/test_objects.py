import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import pickle
import re
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from contents import show, text_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mltrace_otel.digest import digest

# Few different ones, so that equal and nearly equal values are often drawn.
SCALARS = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2**31, 2**64, 0.0, -0.0, 1.0, float("nan"), float("inf")),
        *("", "0", "1", "a", "é", "\ud800", "None", b"", b"a", b"1", 1j, 1 + 0j),
    ]
)
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=2), max_leaves=3
)


def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, min_size=16, max_size=18),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", "ab", ""]), inner, max_size=3),
        st.dictionaries(HASHABLE, inner, max_size=2),
        st.sets(HASHABLE, max_size=3),
    )


VALUES = st.recursive(SCALARS, nest, max_leaves=12)


def rebuild(value: Any, known: dict[Any, Any] | None = None) -> Any:
    """Return an equal value of new objects in another order; ``known`` are used again."""
    copied = value
    if isinstance(value, dict):
        copied = {rebuild(key, known): rebuild(value[key], known) for key in reversed(value)}
    elif isinstance(value, set | frozenset):
        copied = type(value)(rebuild(each, known) for each in sorted(value, key=show))
    elif isinstance(value, list | tuple):
        copied = type(value)([rebuild(each, known) for each in value])
    elif type(value) in {str, float, int, complex}:
        copied = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
    return copied if known is None else known.setdefault(show(copied), copied)


@settings(max_examples=300, deadline=None)
@given(VALUES, VALUES)
@example([[1], [2]] * 8, [[1, 2], []] * 8)
@example([{"a": 1}] * 16, [{"a": True}] * 16)
@example(["a", "bc"], ["ab", "c"])
def test_values_have_equal_digests_if_and_only_if_they_are_equal(
    one: object, other: object
) -> None:
    assert (text_of(one) == text_of(other)) == (show(one) == show(other))


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_neither_order_nor_shared_parts_are_content(value: object) -> None:
    apart = rebuild(value)
    shared = rebuild(value, {})

    assert text_of(apart) == text_of(shared) == text_of(value)
    assert text_of([apart, apart]) == text_of([apart, shared])
    assert text_of([apart] * 20) == text_of([rebuild(value) for _ in range(20)])


@settings(max_examples=150, deadline=None)
@given(VALUES, VALUES, st.integers(0, 19))
def test_one_changed_element_of_many_is_seen(value: object, other: object, place: int) -> None:
    many = [value] * 20
    changed = [*many[:place], other, *many[place + 1 :]]

    assert (text_of(changed) == text_of(many)) == (show(value) == show(other))


@dataclasses.dataclass
class Point:
    x: object
    y: object = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    x: object


class Plain:
    def __init__(self, **state: object) -> None:
        self.__dict__.update(state)

    @functools.cached_property
    def total(self) -> int:
        return 5


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Named(dict[str, object]):
    pass


class Tagged(set[object]):
    tag = ""


Pair = namedtuple("Pair", ["a", "b"])  # noqa: PYI024 - what users have


def tag(items: set[object], text: str) -> Tagged:
    tagged = Tagged(items)
    tagged.tag = text
    return tagged


DIFFERENT = [
    Point(1),
    Point(2),
    Point(1, 1),
    Point([1]),
    Point((1,)),
    Slotted(1),
    Slotted(2),
    Plain(x=1, y=0),
    Plain(x=1),
    Color.RED,
    Color.BLUE,
    Color,
    Pair(1, 2),
    Pair(2, 1),
    (1, 2),
    [1, 2],
    {1, 2},
    frozenset({1, 2}),
    tag({1}, "a"),
    tag({1}, "b"),
    Named(a=1),
    {"a": 1},
    {"a": True},
    {1: "a"},
    OrderedDict(a=1, b=2),
    OrderedDict(b=2, a=1),
    {"a": 1, "b": 2},
    Counter("ab"),
    Counter("aab"),
    defaultdict(int, a=1),
    defaultdict(None, a=1),
    deque([1, 2]),
    deque([1, 2], maxlen=2),
    bytearray(b"ab"),
    [bytearray(b"ab")],
    [b"ab"],
    ["ab"],
    range(3),
    range(4),
    slice(1),
    decimal.Decimal("1.0"),
    decimal.Decimal("1.00"),
    fractions.Fraction(1, 3),
    dt.date(2020, 1, 1),
    dt.datetime(2020, 1, 1),  # noqa: DTZ001 - one without
    dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    dt.timedelta(1),
    uuid.UUID(int=1),
    Path("a"),
    Path("b"),
    re.compile("a"),
    re.compile("a", re.IGNORECASE),
    functools.partial(int, "5"),
    functools.partial(int, "6"),
    len,
    max,
    int,
    "a".upper,
    show,
    text_of,
    np.float64(1),
    np.float32(1),
    np.dtype("i4"),
    np.dtype("i8"),
    np.array(1.0),
    [np.float64(1)],
    [1.0],
    [dt.date(2020, 1, 1)],
    [737425],
    [decimal.Decimal(1)],
    ["1"],
    pd.Timestamp("2020"),
    pd.Timestamp("2021"),
    pd.NaT,
    pd.NA,
    [pd.NA],
    [pd.NaT],
    [None],
    [float("nan")],
    [pd.NA, "a"],
    [None, "a"],
    ...,
    1 + 2j,
]


def find_twins(values: list[object], texts: list[str]) -> list[list[object]]:
    by_text: defaultdict[str, list[object]] = defaultdict(list)
    for text, value in zip(texts, values, strict=True):
        by_text[text].append(value)
    return [each for each in by_text.values() if len(each) > 1]


def test_what_differs_has_another_digest() -> None:
    texts = [text_of(value) for value in DIFFERENT]

    assert find_twins(DIFFERENT, texts) == []
    assert [text_of(value) for value in pickle.loads(pickle.dumps(DIFFERENT))] == texts  # noqa: S301


def test_what_differs_still_differs_inside_of_lists() -> None:
    assert find_twins(DIFFERENT, [text_of([value] * 20) for value in DIFFERENT]) == []
    assert find_twins(DIFFERENT, [text_of({"a": value}) for value in DIFFERENT]) == []


def test_what_a_cached_property_remembers_is_no_content() -> None:
    fresh, used = Plain(x=1), Plain(x=1)

    assert used.total == 5
    assert text_of(fresh) == text_of(used)


def test_values_that_contain_themselves_have_digests() -> None:
    def make(last: int) -> list[object]:
        cyclic: list[object] = [1, {"a": []}]
        cyclic[1]["a"].append(cyclic)  # type: ignore[index] # the dict
        cyclic.append(last)
        return cyclic

    assert text_of(make(1)) == text_of(make(1)) != text_of(make(2))
    node = Plain(name="a")
    node.me = node  # type: ignore[attr-defined]
    twin = Plain(name="a")
    twin.me = twin  # type: ignore[attr-defined]
    assert text_of(node) == text_of(twin)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("width", [2, 20])
def test_a_part_that_occurs_often_is_read_once(width: int) -> None:
    value: list[object] = []
    for _ in range(40):
        value = [value] * width

    assert digest(value) is not None


@pytest.mark.timeout(60)
def test_a_value_of_too_many_parts_has_no_digest(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "mltrace_otel")

    assert digest([{number} for number in range(100_000)]) is None
    assert len(caplog.records) == 1


class Broken:
    """Refuses to be printed, compared, hashed and pickled."""

    def refuse(self, *_: object) -> Any:
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = refuse
    __reduce_ex__ = __getattr__ = refuse


class Refusing(Broken):
    """Refuses all but to be pickled."""

    def __reduce_ex__(self, *_: object) -> Any:
        return Refusing, ()


def make_local() -> list[object]:
    class Local:
        pass

    return [Local(), Local, lambda: None]


@pytest.mark.parametrize(
    "make",
    [
        Broken,
        lambda: [Broken()],
        lambda: {"a": Broken()},
        lambda: pd.Series([Broken()], dtype=object),
        lambda: pd.Series([Broken()], dtype=object).to_numpy(),
        lambda: make_local()[0],
        lambda: make_local()[1],
        lambda: make_local()[2],
        lambda: (number for number in range(3)),
        lambda: iter([1]).__reduce__()[0] and open(__file__),  # noqa: SIM115, PTH123 - closed by the collector
    ],
)
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_what_cannot_be_read_has_no_digest_and_one_line_says_so(
    make: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "mltrace_otel")

    assert digest(make()) is None
    assert len(caplog.records) == 1


def test_nothing_of_a_value_is_asked_to_print_or_compare_itself() -> None:
    assert text_of([Refusing(), Refusing()]) == text_of([Refusing()] * 2)
    assert text_of({"a": Refusing()}) == text_of({"a": Refusing()})


def test_a_deep_value_has_a_digest_or_none() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]

    assert digest(value) is None
    while value:  # or Python's own clean-up would go as deep
        value = value.pop()  # type: ignore[assignment]


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: LogisticRegression(C=seed + 1.0),
        lambda seed: RandomForestClassifier(n_estimators=3, random_state=seed),
        lambda seed: make_pipeline(StandardScaler(), LogisticRegression(C=seed + 1.0)),
    ],
)
def test_models_fitted_alike_are_equal(make: Callable[[int], Any], tmp_path: Path) -> None:
    data = np.random.default_rng(1).random((60, 3))
    labels = data[:, 0] > 0.5

    fitted = make(1).fit(data, labels)
    expected = text_of(fitted)
    joblib.dump(fitted, tmp_path / "model.joblib")

    assert text_of(make(1)) != expected
    assert text_of(make(1).fit(data.copy(), labels.copy())) == expected
    assert text_of(joblib.load(tmp_path / "model.joblib")) == expected
    fitted.predict(data)
    assert text_of(fitted) == expected
    assert text_of(make(2).fit(data, labels)) != expected
    assert text_of(make(1).fit(data, ~labels)) != expected
    assert text_of(make(1).fit(data[:-1], labels[:-1])) != expected
