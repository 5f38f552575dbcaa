"""Digests of arrays. In: values of numpy, scipy and torch. Out: parts of contents.

Elements are read in C order, whatever their layout in memory, and never copied as a whole.
"""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from mltrace_otel.digest.content import Hasher, Part

if TYPE_CHECKING:
    import numpy as np

_BLOCK_BYTES = 1 << 18
_ROWS_AT_ONCE = 1 << 13
_OBJECTS_AT_ONCE = 1 << 16
_RANGE_AT_ONCE = 1 << 15
_TILE = 64
_TILES_BYTES = 1 << 24
_EXTENDED_BYTES = 10  # what of a long double of x86 is no padding
_LONGEST_INTEGER_BYTES = 8
_PLAIN_CLASSES = frozenset({"ndarray", "memmap", "recarray"})


class Reader(Protocol):
    """What reads Python objects."""

    def read(self, value: object) -> Part:
        """Return what identifies a value."""

    def read_items(self, items: Iterable[object], *facts: object) -> Part:
        """Return what identifies a sequence of values."""


def read_numpy(reader: Reader, value: Any) -> Part | None:  # noqa: ANN401 - any value
    """Return what identifies a value of numpy; None if it is no array, scalar or dtype."""
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.dtype):
        return Hasher("dtype", _describe(value)).part()
    if isinstance(value, numpy.generic):
        hasher = Hasher("scalar")
        hasher.put([read_array(reader, numpy.asarray(value))])
        return hasher.part()
    if isinstance(value, numpy.ma.MaskedArray):
        return _read_masked(reader, value)
    return _read_ndarray(reader, value) if isinstance(value, numpy.ndarray) else None


def _read_ndarray(reader: Reader, value: "np.ndarray") -> Part:
    kind = type(value)
    plain = value.view(sys.modules["numpy"].ndarray)
    if kind.__module__.partition(".")[0] == "numpy" and kind.__name__ in _PLAIN_CLASSES:
        return read_array(reader, plain)
    # A class of its own may carry more, such as the unit of a quantity.
    hasher = Hasher("subclass", kind.__module__, kind.__qualname__)
    hasher.put([reader.read(getattr(value, "__dict__", None)), read_array(reader, plain)])
    return hasher.part()


def _read_masked(reader: Reader, value: Any) -> Part:  # noqa: ANN401 - a masked array
    hasher = Hasher("masked", _describe(value.dtype), value.shape)
    if value.dtype.names:
        hasher.put([_read_masked(reader, value[name]) for name in value.dtype.names])
        return hasher.part()
    mask = sys.modules["numpy"].ma.getmaskarray(value)
    # Behind the mask may lie anything.
    seen = value.compressed() if mask.any() else value.data
    hasher.put([read_array(reader, mask), read_array(reader, seen)])
    return hasher.part()


def read_array(reader: Reader, array: "np.ndarray") -> Part:
    """Return what identifies an array."""
    hasher = _begin(array)
    if array.dtype.names:
        # Between the fields of a record may lie padding, which is no content.
        hasher.put([read_array(reader, array[name]) for name in array.dtype.names])
    elif array.dtype.hasobject:
        hasher.put([reader.read_items(_list_objects(array))])
    else:
        for block in _cut(array):
            _add_block(hasher, block)
    return hasher.part()


def read_columns(reader: Reader, arrays: "Sequence[np.ndarray]") -> list[Part]:
    """Return what identifies each of some arrays of numbers, of one dimension and the same length.

    Columns of a table that lies in memory row by row are read together, or each would read it all.
    """
    hashers = {
        place: _begin(array) for place, array in enumerate(arrays) if not array.flags.c_contiguous
    }
    for start in range(0, max(map(len, arrays), default=0), _ROWS_AT_ONCE):
        for place, hasher in hashers.items():
            rows = arrays[place][start : start + _ROWS_AT_ONCE]
            _add_block(hasher, sys.modules["numpy"].ascontiguousarray(rows))
    return [
        hashers[place].part() if place in hashers else read_array(reader, array)
        for place, array in enumerate(arrays)
    ]


def read_range(start: int, stop: int, step: int) -> Part:
    """Return what identifies the array of a range's integers, without making it as a whole."""
    numpy = sys.modules["numpy"]
    numbers = range(start, stop, step)
    dtype = numpy.dtype("int64")
    hasher = Hasher("array", _describe(dtype), (len(numbers),))
    for first in range(0, len(numbers), _RANGE_AT_ONCE):
        piece = numbers[first : first + _RANGE_AT_ONCE]
        hasher.add(numpy.arange(piece.start, piece.stop, piece.step, dtype=dtype))
    return hasher.part()


def _begin(array: "np.ndarray") -> Hasher:
    return Hasher("array", _describe(array.dtype), array.shape)


def _describe(dtype: Any) -> tuple[object, ...]:  # noqa: ANN401 - what numpy's stubs have no name for
    """Return what dtypes are compared by; how fields lie in memory is left out."""
    if dtype.names:
        return tuple((name, _describe(dtype[name])) for name in dtype.names)
    if dtype.subdtype:
        return _describe(dtype.subdtype[0]), dtype.subdtype[1]
    return dtype.str, dtype.name


def _list_objects(array: "np.ndarray") -> Iterator[object]:
    flat = array.reshape(-1)
    for start in range(0, len(flat), _OBJECTS_AT_ONCE):
        yield from flat[start : start + _OBJECTS_AT_ONCE].tolist()


def _cut(array: "np.ndarray") -> "Iterator[np.ndarray]":
    """Return an array's elements in C order, in blocks that fit a processor's cache."""
    if not array.nbytes:
        return
    if array.flags.c_contiguous:
        array = array.reshape(-1)
    row_bytes = array.nbytes // len(array)
    is_spread = array.ndim > 1 and array.strides[-1] != array.itemsize
    rows = _BLOCK_BYTES // row_bytes
    if is_spread and row_bytes * _TILE <= _TILES_BYTES:
        rows = max(rows, _TILE)
    if not rows:
        for row in array:
            yield from _cut(row)
        return
    for start in range(0, len(array), rows):
        yield _copy(array[start : start + rows], is_spread=is_spread).reshape(-1)


def _copy(rows: "np.ndarray", *, is_spread: bool) -> "np.ndarray":
    """Return an array in C order, itself if it is in it. Tiles make it ten times faster."""
    if rows.flags.c_contiguous:
        return rows
    if not is_spread:
        return rows.copy()
    copied: np.ndarray = sys.modules["numpy"].empty(rows.shape, rows.dtype)
    for start in range(0, rows.shape[1], _TILE):
        copied[:, start : start + _TILE] = rows[:, start : start + _TILE]
    return copied


def _add_block(hasher: Hasher, block: "np.ndarray") -> None:
    numpy = sys.modules["numpy"]
    if block.dtype.kind == "c":
        width_bytes = block.dtype.itemsize // 2
        block = block.view(f"{block.dtype.byteorder}f{width_bytes}")
    if block.dtype.kind == "f":
        block = _join_nans(block)
    content = block.view(numpy.uint8)
    if block.dtype.char == "g" and numpy.finfo(block.dtype).nmant == 63:  # noqa: PLR2004
        content = content.reshape(-1, block.dtype.itemsize)[:, :_EXTENDED_BYTES].copy()
    hasher.add(content)


def _join_nans(block: "np.ndarray") -> "np.ndarray":
    """Return floats of which all that are no numbers have the same bits."""
    numpy = sys.modules["numpy"]
    is_nan = numpy.isnan(block)
    nans = numpy.count_nonzero(is_nan)
    if not nans or nans == _count_usual_nans(block):
        return block
    joined = block.copy()
    joined[is_nan] = math.nan
    return joined


def _count_usual_nans(block: "np.ndarray") -> int:
    """Return how many floats are NaN with its usual bits, which takes a fifth of setting them."""
    numpy = sys.modules["numpy"]
    if block.dtype.itemsize > _LONGEST_INTEGER_BYTES:
        return 0
    bits = f"u{block.dtype.itemsize}"
    usual = numpy.array(math.nan, block.dtype).view(bits)
    return int(numpy.count_nonzero(block.view(bits) == usual))


def read_scipy(reader: Reader, value: Any) -> Part | None:  # noqa: ANN401 - any value
    """Return what identifies a sparse matrix or array of scipy; None if it is something else.

    How often and in what order an element is stored is left out, as are stored zeros.
    """
    sparse = sys.modules.get("scipy.sparse")
    if sparse is None or not sparse.issparse(value):
        return None
    rows = value.tocsr()
    if not (rows.has_canonical_format and rows.data.all()):
        rows = rows.copy()
        rows.sum_duplicates()
        rows.eliminate_zeros()
    hasher = Hasher("sparse", type(value).__name__, value.shape)
    places = (rows.indptr.astype("i8"), rows.indices.astype("i8"))
    hasher.put([read_array(reader, each) for each in (*places, rows.data)])
    return hasher.part()


def read_torch(reader: Reader, value: Any) -> Part | None:  # noqa: ANN401 - any value
    """Return what identifies a tensor of torch, wherever it lies; None if it is something else."""
    torch: Any = sys.modules["torch"]
    if not isinstance(value, torch.Tensor):
        return None
    tensor = value.detach()
    hasher = Hasher("tensor", str(tensor.dtype), str(tensor.layout), tuple(tensor.shape))
    if tensor.layout is torch.sparse_coo:
        tensor = tensor.coalesce()
        hasher.put(
            filter(
                None, [read_torch(reader, tensor.indices()), read_torch(reader, tensor.values())]
            )
        )
        return hasher.part()
    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise TypeError(f"tensors of layout {tensor.layout} cannot be read")
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    try:
        array = tensor.numpy()
    except TypeError:  # numpy has no such type, e.g. no bfloat16
        if tensor.is_floating_point() and tensor.isnan().any():
            tensor = torch.where(tensor.isnan(), torch.nan, tensor)
        array = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
    hasher.put([read_array(reader, array)])
    return hasher.part()
