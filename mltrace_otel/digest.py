"""Digests of content. In: a value or a file. Out: what identifies its content, and its size.

Equal content gives equal digests, in any process; nothing is judged by its repr. numpy and pandas
are looked up among the program's loaded modules and never imported for their own sake.
"""

import io
import json
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from typing_extensions import Buffer

_CHUNK_BYTES = 1 << 20
_CHUNK_ITEMS = 1 << 17


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies a content: ``text`` is ``<algorithm>:<hex>``."""

    text: str
    size_bytes: int


def digest(value: object) -> Digest | None:
    """Return the digest of a value's whole content, or None if it has none. Changes nothing."""
    try:
        content = _Content()
        if _add(content, value):
            return content.digest()
        return Digest(f"joblib-md5:{_hash_pickle(value)}", _measure_pickle(value))
    except Exception:  # noqa: BLE001 - any object may refuse to be read or pickled, in its own way
        return None


def digest_file(path: Path) -> Digest | None:
    """Return the digest of a file's bytes, as of the same bytes in memory; None if unreadable."""
    content = _Content()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                content.add(chunk)
    except OSError:
        return None
    return content.digest()


class _Content:
    """Takes content in pieces."""

    def __init__(self) -> None:
        self._hash = xxhash.xxh3_128()
        self._size_bytes = 0

    def add(self, piece: "Buffer") -> None:
        view = memoryview(piece)
        self._hash.update(view)
        self._size_bytes += view.nbytes

    def count(self, size_bytes: int) -> None:
        """Count what was added by its hash only."""
        self._size_bytes += size_bytes

    def describe(self, *facts: object) -> None:
        """Add what tells contents of equal bytes apart, such as their type and shape."""
        self._hash.update(json.dumps(facts).encode())

    def digest(self) -> Digest:
        return Digest(f"xxh3-128:{self._hash.hexdigest()}", self._size_bytes)


def _add(content: _Content, value: object) -> bool:
    """Add a value of a kind that we can read without pickling; False if it is of another kind."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if isinstance(value, bytes | bytearray | memoryview):
        content.add(value)
    elif isinstance(value, str):
        content.add(value.encode("utf-8", "surrogatepass"))
    elif pandas and isinstance(value, pandas.DataFrame):
        _add_frame(content, value)
    elif pandas and isinstance(value, pandas.Series):
        content.describe("series", _hash_pickle(value.name))
        _add_index(content, value.index)
        _add_column(content, value)
    elif numpy and isinstance(value, numpy.ma.MaskedArray):
        content.describe("masked")
        _add_array(content, numpy.ma.getmaskarray(value))
        _add_array(content, numpy.asarray(value.filled()))
    elif numpy and isinstance(value, numpy.ndarray | numpy.generic):
        _add_array(content, numpy.asarray(value))
    else:
        return False
    return True


def _add_array(content: _Content, array: "np.ndarray") -> None:
    content.describe("array", array.dtype.str, array.shape)
    if array.dtype.names:
        # Between the fields of a record may lie padding, which is no content.
        for name in array.dtype.names:
            content.describe(name)
            _add_array(content, array[name])
    elif array.dtype.hasobject:
        _add_pickled(content, array.tolist())
    else:
        _add_numbers(content, array)


def _add_numbers(content: _Content, array: "np.ndarray") -> None:
    numpy = sys.modules["numpy"]
    # In C order, whatever the layout, and never copied as a whole.
    pieces = numpy.nditer(
        array,
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly", "contig"]],
        order="C",
        buffersize=_CHUNK_ITEMS,
    )
    for piece in pieces:
        content.add(piece.view(numpy.uint8))


def _add_frame(content: _Content, frame: "pd.DataFrame") -> None:
    content.describe("frame", frame.shape, _hash_pickle([*frame.columns.names, *frame.columns]))
    _add_index(content, frame.index)
    for _, column in frame.items():  # noqa: PERF102 - a frame's values() are something else
        _add_column(content, column)


def _add_index(content: _Content, index: "pd.Index") -> None:
    content.describe("index", _hash_pickle(list(index.names)))
    for level in range(index.nlevels):
        _add_column(content, index.get_level_values(level))


def _add_column(content: _Content, column: "pd.Series | pd.Index") -> None:
    numpy, pandas = sys.modules["numpy"], sys.modules["pandas"]
    types = pandas.api.types
    dtype = column.dtype
    content.describe(str(dtype))
    if isinstance(dtype, numpy.dtype) and not dtype.hasobject:
        _add_array(content, column.to_numpy())
    elif isinstance(dtype, pandas.CategoricalDtype):
        content.describe(dtype.ordered)
        _add_column(content, dtype.categories)
        _add_array(content, pandas.Categorical(column).codes)
    elif isinstance(dtype, pandas.DatetimeTZDtype):
        _add_array(content, column.to_numpy(dtype="datetime64[ns]"))
    elif types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype):
        _add_array(content, numpy.asarray(column.isna()))
        _add_array(content, column.to_numpy(dtype=getattr(dtype, "numpy_dtype", None), na_value=0))
    elif types.infer_dtype(column, skipna=True) in {"string", "empty"}:
        texts = numpy.asarray(column, dtype=object)
        _add_array(content, pandas.isna(texts))  # their hashes are those of "None", "nan", "<NA>"
        _add_array(content, pandas.util.hash_array(texts, categorize=False))
    else:
        _add_pickled(content, column.tolist())


def _add_pickled(content: _Content, value: object) -> None:
    content.describe(_hash_pickle(value))
    content.count(_measure_pickle(value))


def _hash_pickle(value: object) -> str:
    # joblib imports numpy, which a program that never comes here may not want.
    import joblib  # noqa: PLC0415

    return str(joblib.hash(value))


def _measure_pickle(value: object) -> int:
    """Return the size of a value's pickle, arrays included, without making it."""
    counter = _Counter()
    pickle.Pickler(
        counter,
        protocol=5,
        buffer_callback=lambda buffer: counter.count(buffer.raw().nbytes),
    ).dump(value)
    return counter.size_bytes


class _Counter(io.RawIOBase):
    """A file that only counts what is written to it."""

    size_bytes = 0

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override] # what pickle writes
        return self.count(memoryview(data).nbytes)

    def count(self, size_bytes: int) -> int:
        self.size_bytes += size_bytes
        return size_bytes
