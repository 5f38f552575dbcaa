import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from summarising import make_categorical, make_numeric

from mltrace_otel.profiles.encoding import EncodingError, decode_columns, encode_columns
from mltrace_otel.profiles.shapes import Column, ColumnKind

FLOATS = st.floats(allow_nan=False)
NAMES = st.text(max_size=20)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    name = draw(NAMES)
    if draw(st.booleans()):
        return make_numeric(name, draw(st.lists(st.none() | FLOATS, max_size=20)))
    return make_categorical(name, draw(st.lists(st.text(max_size=5), max_size=70)))


@given(st.lists(columns(), max_size=5))
def test_what_is_written_is_read_again(written: list[Column]) -> None:
    assert decode_columns(encode_columns(written)) == tuple(written)


def test_what_a_later_version_says_besides_is_left_alone() -> None:
    written = make_numeric("x", [1.0, -2.0])
    items = json.loads(encode_columns([written]))
    items[0]["entropy"] = 1.5
    items[0]["numbers"]["skew"] = {"is": "new"}

    assert decode_columns(json.dumps(items)) == (written,)


def change(**changes: object) -> str:
    items: list[dict[str, Any]] = json.loads(encode_columns([make_numeric("x", [1.0, -2.0])]))
    items[0]["values"] = json.loads(encode_columns([make_categorical("x", ["a"])]))[0]["values"]
    for path, value in changes.items():
        *places, last = path.split("__")
        target: Any = items[0]
        for place in places:
            target = target[place]
        target[last] = value
    return json.dumps(items)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no JSON", "columns are no JSON"),
        ("[NaN]", "NaN is no JSON"),
        ("{}", "columns are no array"),
        ("[1]", "columns[0] is not an object"),
        ("[" * 100_000, "columns are no JSON"),
        (json.dumps([{}] * 201), "201 columns are more than 200"),
        (change(kind="colour"), "columns[0].kind 'colour' is none of numeric"),
        (change(name=None), "columns[0].name is not a text"),
        (change(count=-1), "columns[0].count is not from 0"),
        (change(nulls=True), "columns[0].nulls is not a whole number"),
        (change(count=10**30), "columns[0].count is not from 0"),
        (change(numbers=[]), "columns[0].numbers is not an object"),
        (change(numbers__min="1"), "columns[0].numbers.min is no number"),
        (change(numbers__max=10**400), "columns[0].numbers.max is no finite number"),
        (change(numbers__scale=99), "columns[0].numbers.scale is not from -10 to 20"),
        (change(numbers__positive__counts=[1] * 161), "positive.counts are more than 160"),
        (change(numbers__positive__counts=[0.5]), "positive.counts is not a whole number"),
        (change(numbers__negative__offset=10**12), "negative.offset 1000000000000 is of no float"),
        (change(values__top=[["a", 1]] * 51), "values has more than 50 values"),
        (change(values__top=[["a"]]), "values.top has something else than a text and its count"),
        (change(values__sketch=["a"]), "values.sketch is not a whole number"),
        (change(values__other=None), "values.other is not a whole number"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(EncodingError) as caught:
        decode_columns(text)

    assert words in str(caught.value)


@given(st.text(alphabet='[]{},:"\\0123456789eE.-+ntrufalse', max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(EncodingError):
        decode_columns(text)


def test_a_column_takes_a_few_kilobytes_at_most() -> None:
    wide = make_numeric("x", [float(n % 500) ** 3 * (-1) ** n for n in range(20_000)])
    texts = make_categorical("s", [f"{n % 200:0100}" for n in range(2_000)])

    assert len(encode_columns([wide])) < 3_000
    assert len(encode_columns([texts])) < 8_000
    assert encode_columns([Column("n", ColumnKind.NESTED, 1, 0)]) == (
        '[{"name":"n","kind":"nested","count":1,"nulls":0}]'
    )
