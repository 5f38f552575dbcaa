import datetime as dt
import decimal
import math
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from contents import show, text_of
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrace_otel.digest import digest

TIME = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
CELLS: list[tuple[pa.DataType, list[Any]]] = [
    (pa.null(), [None]),
    (pa.bool_(), [True, False]),
    (pa.int8(), [0, 1]),
    (pa.uint64(), [0, 2**64 - 1]),
    (pa.float16(), [np.float16(0), np.float16(1.5), np.float16("nan")]),
    (pa.float32(), [0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]),
    (pa.float64(), [0.0, -0.0, 1.0, math.nan, math.inf, -math.inf]),
    (pa.string(), ["", "a", "é" * 9]),
    (pa.large_string(), ["", "a", "é" * 9]),
    (pa.string_view(), ["", "a", "é" * 9]),
    (pa.binary(), [b"", b"a"]),
    (pa.binary_view(), [b"", b"a" * 20]),
    (pa.binary(2), [b"ab", b"cd"]),
    (pa.decimal128(5, 2), [decimal.Decimal("1.00"), decimal.Decimal("2.00")]),
    (pa.date32(), [dt.date(2020, 1, 1), dt.date(2020, 1, 2)]),
    (pa.time64("us"), [dt.time(1), dt.time(2)]),
    (pa.timestamp("us"), [TIME.replace(tzinfo=None)]),
    (pa.timestamp("ms", "UTC"), [TIME, TIME.replace(year=2021)]),
    (pa.duration("s"), [dt.timedelta(1), dt.timedelta(2)]),
    (pa.dictionary(pa.int8(), pa.string()), ["", "a", "b"]),
    (pa.uuid(), [uuid.UUID(int=1).bytes, uuid.UUID(int=2).bytes]),
]


def nest(type_: pa.DataType, cells: st.SearchStrategy[Any]) -> list[Any]:
    """Return types whose values consist of another's, with their cells."""
    items = st.lists(cells, max_size=3)
    pairs = st.lists(
        st.tuples(st.sampled_from(["a", "b"]), cells), max_size=2, unique_by=lambda p: p[0]
    )
    return [
        (pa.list_(type_), items),
        (pa.large_list(type_), items),
        (pa.list_(type_, 2), st.lists(cells, min_size=2, max_size=2)),
        (
            pa.struct([("a", type_), ("b", pa.int8())]),
            st.fixed_dictionaries({"a": cells, "b": st.sampled_from([None, 1])}),
        ),
        (pa.map_(pa.string(), type_), pairs),
    ]


@st.composite
def typed_cells(draw: st.DrawFn) -> tuple[pa.DataType, st.SearchStrategy[Any]]:
    type_, few = draw(st.sampled_from(CELLS))
    cells = st.none() | st.sampled_from(few)
    for _ in range(draw(st.integers(0, 2))):
        if pa.types.is_dictionary(type_) or isinstance(type_, pa.BaseExtensionType):
            break  # pyarrow makes no such lists of Python's values
        type_, inner = draw(st.sampled_from(nest(type_, cells)))
        cells = st.none() | inner
    return type_, cells


def draw_array(draw: st.DrawFn, type_: pa.DataType, cells: st.SearchStrategy[Any]) -> pa.Array:
    drawn = draw(st.lists(cells, max_size=5))
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, pa.array(drawn, type_.storage_type))
    return pa.array(drawn, type_)


@st.composite
def two_arrays(draw: st.DrawFn) -> tuple[pa.Array, pa.Array]:
    typed = draw(typed_cells())
    other = draw(st.just(typed) | typed_cells())
    return draw_array(draw, *typed), draw_array(draw, *other)


def show_array(array: pa.Array | pa.ChunkedArray) -> object:
    return str(array.type), show(array.to_pylist())


@settings(max_examples=150, deadline=None)
@given(two_arrays())
def test_arrays_have_equal_digests_if_and_only_if_they_are_equal(
    two: tuple[pa.Array, pa.Array],
) -> None:
    one, other = two

    assert (text_of(one) == text_of(other)) == (show_array(one) == show_array(other))


@settings(max_examples=100, deadline=None)
@given(two_arrays(), st.integers(0, 5))
def test_neither_chunks_nor_offsets_are_content(two: tuple[pa.Array, pa.Array], cut: int) -> None:
    array, other = two
    around = other if other.type == array.type else array[:0]
    expected = text_of(array)
    embedded = pa.concat_arrays([around, array, around])
    chunks = [array[:0], array[:cut], array[:0], array[cut:]]

    assert text_of(embedded.slice(len(around), len(array))) == expected
    assert text_of(pa.chunked_array(chunks, array.type)) == expected
    assert text_of(pa.table({"a": array})) == text_of(pa.record_batch({"a": array}))


def test_many_rows_in_uneven_chunks_are_read_as_one() -> None:
    rng = np.random.default_rng(1)
    for type_ in (pa.float64(), pa.string(), pa.bool_(), pa.list_(pa.int32())):
        numbers = rng.integers(0, 2, 200_000)
        cells = {
            "double": numbers.astype(float),
            "string": numbers.astype(str),
            "bool": numbers.astype(bool),
        }.get(str(type_), [[1] * each for each in numbers])
        array = pa.array(cells, type_, mask=rng.random(200_000) < 0.1)
        chunked = pa.chunked_array(
            [array[:1], array[1:70_000], array[70_000:150_001], array[150_001:]]
        )
        expected = text_of(array)
        assert text_of(chunked) == expected
        for row in (0, 65_535, 65_536, 199_999):
            flipped = (
                pa.scalar(None, type_)
                if array[row].is_valid
                else array[array.is_valid().index(True).as_py()]
            )
            changed = pa.concat_arrays(
                [array[:row], pa.array([flipped.as_py()], type_), array[row + 1 :]]
            )
            assert text_of(changed) != expected


def test_behind_nulls_lies_no_content() -> None:
    validity = pa.py_buffer(b"\x05")
    for type_, clean, dirty in [
        (pa.int32(), np.array([1, 0, 3], "i4"), np.array([1, 9, 3], "i4")),
        (pa.float64(), np.array([1, 0, 3.0]), np.array([1, math.nan, 3.0])),
        (pa.binary(4), np.array([1, 0, 3], "i4"), np.array([1, 9, 3], "i4")),
    ]:
        arrays = [
            pa.Array.from_buffers(type_, 3, [validity, pa.py_buffer(data)])
            for data in (clean, dirty)
        ]
        assert text_of(arrays[0]) == text_of(arrays[1])
    offsets = pa.py_buffer(np.array([0, 1, 4, 5], "i4"))
    dirty_texts = pa.Array.from_buffers(pa.string(), 3, [validity, offsets, pa.py_buffer(b"axyzb")])
    assert text_of(dirty_texts) == text_of(pa.array(["a", None, "b"]))
    dirty_lists = pa.Array.from_buffers(
        pa.list_(pa.int8()), 3, [validity, offsets], children=[pa.array([1, 7, 8, 9, 2], pa.int8())]
    )
    assert text_of(dirty_lists) == text_of(pa.array([[1], None, [2]], pa.list_(pa.int8())))
    fields = [pa.array([1, 9, 3]), pa.array(["a", "x", "b"])]
    dirty_structs = pa.StructArray.from_arrays(
        fields, ["a", "b"], mask=pa.array([False, True, False])
    )
    clean_structs = pa.array([{"a": 1, "b": "a"}, None, {"a": 3, "b": "b"}])
    assert text_of(dirty_structs) == text_of(clean_structs)


def test_dictionaries_are_a_way_to_store_values() -> None:
    def make(indices: list[int | None], values: list[str | None]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(values))

    expected = text_of(make([0, 1, None], ["a", "b"]))
    assert text_of(make([1, 0, None], ["b", "a"])) == expected
    assert text_of(make([0, 1, None], ["a", "b", "unused"])) == expected
    assert text_of(make([0, 1, 2], ["a", "b", None])) == expected
    assert text_of(pa.chunked_array([make([0], ["a"]), make([0, None], ["b"])])) == expected
    assert text_of(make([0, 1, None], ["a", "c"])) != expected
    assert text_of(make([0, 1, None], ["a", "b"]).dictionary_decode()) != expected


TABLE = pa.table({"a": [1, None], "b": ["x", "y"], "c": [[0.5], []]})


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.rename_columns(["a", "z", "c"]),
        lambda t: t.select(["b", "a", "c"]),
        lambda t: t.select(["a", "b"]),
        lambda t: t.slice(1),
        lambda t: t.take([1, 0]),
        lambda t: t.set_column(0, "a", t["a"].cast("int32")),
        lambda t: t.set_column(0, "a", t["a"].fill_null(0)),
        lambda t: t.set_column(1, "b", t["b"].cast("large_string")),
        lambda t: t.set_column(2, "c", pa.array([[], [0.5]])),
        lambda t: t.set_column(2, "c", pa.array([[0.5], None])),
        lambda t: t.append_column("d", [[1, 1]]),
        lambda t: t.cast(t.schema.set(1, pa.field("b", pa.string(), nullable=False))),
        lambda t: t["a"],
        lambda t: t.to_struct_array(),
    ],
)
def test_a_changed_table_has_another_digest(change: Callable[[pa.Table], Any]) -> None:
    changed = change(TABLE)

    assert text_of(changed) != text_of(TABLE)
    assert text_of(change(TABLE)) == text_of(changed)


def test_what_a_schema_says_besides_is_no_content() -> None:
    assert text_of(TABLE.replace_schema_metadata({"writer": "a"})) == text_of(TABLE)


def test_a_table_survives_a_file(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet", row_group_size=1)

    assert text_of(pq.read_table(tmp_path / "a.parquet")) == text_of(TABLE)


def test_unions_have_no_digest() -> None:
    union = pa.UnionArray.from_sparse(
        pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]
    )

    assert digest(union) is None


DTYPES: dict[Any, list[Any]] = {
    pl.Int64(): [0, 1, None],
    pl.UInt8(): [0, 1, None],
    pl.Float64(): [0.0, -0.0, 1.0, math.nan, None],
    pl.Float32(): [0.0, 1.0, math.nan, None],
    pl.Boolean(): [True, False, None],
    pl.String(): ["", "a", "é" * 9, None],
    pl.Binary(): [b"", b"a", None],
    pl.Categorical(): ["a", "b", None],
    pl.Enum(["a", "b"]): ["a", "b", None],
    pl.Enum(["b", "a"]): ["a", "b", None],
    pl.Date(): [dt.date(2020, 1, 1), None],
    pl.Datetime("us"): [dt.datetime(2020, 1, 1), None],  # noqa: DTZ001 - one without
    pl.Datetime("ms", "UTC"): [TIME, None],
    pl.Duration("us"): [dt.timedelta(1), None],
    pl.Decimal(5, 2): [decimal.Decimal("1.00"), decimal.Decimal("2.00"), None],
    pl.List(pl.Int64()): [[], [1], [None], None],
    pl.Struct({"a": pl.Int64(), "b": pl.String()}): [{"a": 1, "b": None}, {"a": None, "b": "x"}],
    pl.Null(): [None],
}


@st.composite
def series(draw: st.DrawFn, rows: int) -> pl.Series:
    dtype = draw(st.sampled_from(list(DTYPES)))
    cells = draw(st.lists(st.sampled_from(DTYPES[dtype]), min_size=rows, max_size=rows))
    return pl.Series(draw(st.sampled_from(["a", "b"])), cells, dtype)


@st.composite
def two_frames(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = draw(st.integers(0, 3))
    drawn = [draw(st.lists(series(rows), max_size=2, unique_by=lambda s: s.name)) for _ in "ab"]
    return pl.DataFrame(drawn[0]), pl.DataFrame(drawn[1])


def show_polars(frame: pl.DataFrame) -> object:
    types = [(name, str(dtype)) for name, dtype in frame.schema.items()]
    return types, frame.height, [show(each.to_list()) for each in frame.get_columns()]


@settings(max_examples=100, deadline=None)
@given(two_frames(), st.integers(0, 3))
def test_frames_of_polars_are_their_columns(
    two: tuple[pl.DataFrame, pl.DataFrame], cut: int
) -> None:
    one, other = two
    rechunked = pl.concat([one[:cut], one[cut:]], rechunk=False) if one.width else one

    assert (text_of(one) == text_of(other)) == (show_polars(one) == show_polars(other))
    assert text_of(rechunked) == text_of(one)
    for each in one.get_columns():
        assert text_of(each.rename("c")) != text_of(each)
        assert text_of(pl.concat([each, each])[: len(each)]) == text_of(each)


def test_objects_in_polars_are_content() -> None:
    def make(value: object) -> pl.Series:
        return pl.Series("a", [value, None], dtype=pl.Object)

    assert text_of(make((1, 2))) == text_of(make((1, 2)))
    assert text_of(make((1, 2))) != text_of(make((1, 3)))


def test_a_lazy_frame_is_not_collected() -> None:
    def fail(frame: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError(frame)

    lazy = pl.LazyFrame({"a": [1]}).map_batches(fail)

    assert digest(lazy) is None
    assert digest([lazy]) is None
    assert text_of(pl.DataFrame({"a": [1]})) != text_of(pl.Series("a", [1]))
