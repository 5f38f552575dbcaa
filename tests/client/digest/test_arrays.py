import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from contents import show_cells, text_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = st.one_of(
    hnp.integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.boolean_dtypes(),
    hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(),
    hnp.unicode_string_dtypes(max_len=2),
    hnp.byte_string_dtypes(max_len=2),
    hnp.complex_number_dtypes(),
    st.sampled_from([np.dtype("g"), np.dtype("O"), np.dtype("T"), np.dtype("V3")]),
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
CELLS = st.sampled_from([None, 1, 1.0, True, "1", math.nan, (1,), b"1"])


@st.composite
def arrays(draw: st.DrawFn, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array of few different elements."""
    count = math.prod(shape)
    if dtype.hasobject:
        cells = CELLS if dtype.kind == "O" else st.sampled_from(["", "a", "ab", "é" * 20])
        array = np.empty(count, dtype)
        array[:] = draw(st.lists(cells, min_size=count, max_size=count))
        return array.reshape(shape)
    width = max(dtype.itemsize, 1)
    bits = st.sampled_from(
        [b"\0" * width, b"\1" + b"\0" * (width - 1), b"\0" * (width - 1) + b"\xff"]
    )
    element = bits if dtype.kind == "V" else hnp.from_dtype(dtype)
    few = draw(st.lists(element, min_size=1, max_size=3))
    picked = draw(st.lists(st.sampled_from(few), min_size=count, max_size=count))
    return np.array(picked, dtype).reshape(shape)


ONE = st.tuples(DTYPES, SHAPES).flatmap(lambda drawn: arrays(*drawn))
TWO = st.tuples(DTYPES, SHAPES).flatmap(
    lambda drawn: st.tuples(arrays(*drawn), arrays(*drawn) | ONE)
)


def show(array: np.ndarray) -> object:
    return array.dtype, array.shape, show_cells(array.ravel().tolist())


@settings(max_examples=150, deadline=None)
@given(TWO)
def test_arrays_have_equal_digests_if_and_only_if_they_are_equal(
    two: tuple[np.ndarray, np.ndarray],
) -> None:
    one, other = two

    assert (text_of(one) == text_of(other)) == (show(one) == show(other))


@settings(max_examples=100, deadline=None)
@given(ONE)
def test_layout_in_memory_is_no_content(array: np.ndarray) -> None:
    expected = text_of(array)
    padded = np.zeros((*array.shape, 3), array.dtype)
    padded[..., 1] = array

    assert text_of(array.copy()) == expected
    assert text_of(np.asfortranarray(array).reshape(array.shape)) == expected
    assert text_of(padded[..., 1]) == expected
    assert text_of(array.T.copy().T) == expected
    if array.ndim:
        backwards = array[::-1].copy()[::-1]
        assert text_of(np.repeat(array, 2, axis=0)[::2]) == text_of(backwards) == expected


@settings(max_examples=100, deadline=None)
@given(ONE.filter(lambda array: array.size > 0), st.data())
def test_one_changed_element_is_seen(array: np.ndarray, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, array.size - 1))
    other = data.draw(arrays(array.dtype, (1,)))
    changed = array.copy()
    changed.reshape(-1)[place] = other[0]

    assert (text_of(changed) == text_of(array)) == (show(changed) == show(array))


@pytest.mark.parametrize("dtype", ["f4", "i8", "c16", "M8[s]"])
def test_large_arrays_of_every_layout_are_read_whole(dtype: str) -> None:
    array = np.arange(3 * 70_001).reshape(3, -1).astype(dtype)
    cube = np.arange(70 * 90 * 11).reshape(70, 90, 11).astype(dtype)

    for each in (array, array.T, cube, cube.T, cube.transpose(1, 0, 2), cube[:, ::-3]):
        expected = text_of(each)
        assert text_of(np.ascontiguousarray(each)) == expected
        assert text_of(np.asfortranarray(each)) == expected
        for place in ((0,) * each.ndim, (-1,) * each.ndim):
            changed = each.copy()
            changed[place] = each[tuple(length // 2 for length in each.shape)]
            assert text_of(changed) != expected


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "g", "c8", "c16"])
def test_all_that_is_no_number_is_one(dtype: str) -> None:
    ones = np.zeros(100_000, dtype)
    ones[5], ones[70_000] = math.nan, math.nan
    others = ones.copy()
    others.real[5] = -others.real[5]

    assert text_of(ones) == text_of(others)
    others[6] = math.nan
    assert text_of(ones) != text_of(others)


def test_zeros_of_both_signs_differ_as_they_print() -> None:
    assert text_of(np.array([0.0])) != text_of(np.array([-0.0]))


def test_the_padding_of_long_doubles_is_no_content() -> None:
    array = np.array([1.5, 2.5], "g")
    dirty = array.copy()
    if np.finfo("g").nmant == 63:
        dirty.view("u1").reshape(2, -1)[:, 10:] = 7

    assert text_of(array) == text_of(dirty)


def test_records_are_their_fields() -> None:
    packed = np.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i1"), ("b", "f8")])
    aligned = packed.astype(np.dtype(packed.dtype.descr, align=True))
    aligned.view("u1")[1] = 9  # padding
    renamed = packed.astype([("a", "i1"), ("c", "f8")])
    nested = np.zeros(2, [("a", "i1"), ("b", [("c", "f4", (2,)), ("d", "O")])])

    assert text_of(packed) == text_of(aligned)
    assert text_of(packed.view(np.recarray)) == text_of(packed)
    assert len({text_of(each) for each in (packed, renamed, packed[:1], packed[::-1], nested)}) == 5


def test_behind_a_mask_lies_no_content() -> None:
    def make(data: list[float], mask: list[bool], **options: Any) -> np.ma.MaskedArray:
        return np.ma.masked_array(data, mask, **options)

    masked = make([1.0, 2.0], [False, True])
    assert text_of(masked) == text_of(make([1.0, 9.0], [False, True], fill_value=5))
    seen = make([1.0, 2.0], [False, False])
    assert text_of(seen) == text_of(np.ma.masked_array([1.0, 2.0]))
    others = [
        make([2.0, 2.0], [False, True]),
        make([1.0, 2.0], [True, False]),
        np.array([1.0, 2.0]),
    ]
    assert len({text_of(each) for each in (masked, seen, *others)}) == 5
    record = np.ma.masked_array([(1, 2.0)], [(False, True)], dtype=[("a", "i4"), ("b", "f8")])
    assert text_of(record) != text_of(record.data)


def test_a_mapped_file_is_the_array_in_it(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(3, 4)
    np.save(tmp_path / "array.npy", array)

    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")

    assert text_of(mapped) == text_of(array)
    assert text_of(mapped[:, 1:3]) == text_of(array[:, 1:3])


class Quantity(np.ndarray):
    """An array with a unit."""

    unit: str


def test_what_a_kind_of_array_knows_besides_is_content() -> None:
    one, same, other = (np.zeros(2).view(Quantity) for _ in range(3))
    one.unit, same.unit, other.unit = "m", "m", "km"

    assert text_of(one) == text_of(same)
    assert len({text_of(one), text_of(other), text_of(np.zeros(2))}) == 3


SPARSE: list[Callable[..., Any]] = [
    *(sp.csr_array, sp.csc_array, sp.coo_array, sp.bsr_array, sp.dok_array, sp.lil_array),
    *(sp.dia_array, sp.csr_matrix),
]


@pytest.mark.parametrize("make", SPARSE)
def test_a_sparse_array_is_what_it_is_when_it_is_dense(make: Callable[..., Any]) -> None:
    dense = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]])
    changed = dense.copy()
    changed[0, 0] = 1

    assert text_of(make(dense)) == text_of(make(dense.copy(order="F")))
    assert text_of(make(dense)) != text_of(make(changed))
    assert text_of(make(dense)) != text_of(make(dense.astype("f4")))
    assert text_of(make(dense)) != text_of(make(dense[:, :2]))


def test_how_elements_are_stored_is_no_content() -> None:
    plain = sp.coo_array(([3.0, 1.0], ([0, 1], [1, 0])), shape=(2, 2))
    stored = sp.coo_array(([1.0, 1.0, 2.0, 0.0], ([1, 0, 0, 0], [0, 1, 1, 0])), shape=(2, 2))

    assert text_of(plain) == text_of(stored)
    assert text_of(plain.tocsr()) == text_of(stored.tocsr())
    assert stored.nnz == 4
    wide = plain.tocsr()
    wide.indices = wide.indices.astype("i8")
    assert text_of(wide) == text_of(plain.tocsr())
    assert len({text_of(each) for each in (plain, plain.tocsr(), plain.tocsc())}) == 3
