"""Digests of columns. In: values of pyarrow and polars, texts. Out: parts of contents.

Neither how a column is cut in chunks, nor offsets, nor what lies behind nulls leave a trace.
Dictionaries are only a way to store values.
"""

import importlib
import math
import struct
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mltrace_otel.digest.arrays import Reader
from mltrace_otel.digest.content import Hasher, Part, encode_texts

if TYPE_CHECKING:
    import numpy as np

_ROWS_AT_ONCE = 1 << 16
_WIDTHS = frozenset({8, 16, 32, 64})
_OFFSETS = {"string": "=i", "binary": "=i", "large_string": "=q", "large_binary": "=q"}
_UNPACKED = {"string_view": "large_string", "binary_view": "large_binary"}
_LISTS = frozenset(
    {"ListType", "LargeListType", "FixedSizeListType", "ListViewType", "LargeListViewType"}
)


def read_arrow(_: Reader, value: Any) -> Part | None:  # noqa: ANN401 - any value
    """Return what identifies a table or column of pyarrow; None if it is none.

    A record batch is a table of one chunk, an array a column of one.
    """
    pyarrow: Any = sys.modules["pyarrow"]
    if isinstance(value, pyarrow.Table | pyarrow.RecordBatch):
        fields = tuple(
            (field.name, describe_type(field.type), field.nullable) for field in value.schema
        )
        hasher = Hasher("arrow table", value.num_rows, fields)
        hasher.put(map(read_rows, value.columns))
        return hasher.part()
    if isinstance(value, pyarrow.Array | pyarrow.ChunkedArray):
        hasher = Hasher("arrow array", describe_type(value.type))
        hasher.put([read_rows(value)])
        return hasher.part()
    return None


def read_polars(reader: Reader, value: Any) -> Part | None:  # noqa: ANN401 - any value
    """Return what identifies a frame or series of polars; None if it is neither.

    Raises:
        TypeError: it is a lazy frame, which has no content before it is collected.
    """
    polars: Any = sys.modules["polars"]
    if isinstance(value, polars.LazyFrame):
        raise TypeError("it has no content before it is collected")
    if isinstance(value, polars.Series):
        return _read_series(reader, value)
    if not isinstance(value, polars.DataFrame):
        return None
    hasher = Hasher("polars frame", value.shape)
    hasher.put(_read_series(reader, series) for series in value.get_columns())
    return hasher.part()


def _read_series(reader: Reader, series: Any) -> Part:  # noqa: ANN401 - a series
    hasher = Hasher("polars series", series.name, str(series.dtype))
    if "Object" in str(series.dtype):  # arrow would get addresses
        hasher.put([reader.read_items(series.to_list())])
    else:
        hasher.put([read_rows(series.to_arrow())])
    return hasher.part()


def describe_type(kind: Any) -> tuple[object, ...]:  # noqa: ANN401 - a type
    """Return what arrow's types are compared by.

    What lists call their items is left out: files may give these other names.
    """
    name = type(kind).__name__
    if name in {"StructType", *_LISTS}:
        fields = [kind.field(place) for place in range(kind.num_fields)]
        length = kind.list_size if name == "FixedSizeListType" else 0
        names = tuple(field.name for field in fields) if name == "StructType" else ()
        return name, length, names, *(describe_type(field.type) for field in fields)
    if name == "MapType":
        return name, describe_type(kind.key_type), describe_type(kind.item_type)
    return (str(kind),)


def read_rows(column: Any) -> Part:  # noqa: ANN401 - an array or chunked array
    """Return what identifies the values of an arrow column, whatever its type and its chunks."""
    hasher = Hasher("rows")
    _add_rows(hasher, column)
    return hasher.part()


def read_texts(texts: "np.ndarray", is_null: "np.ndarray") -> Part:
    """Return what identifies a column of Python's texts: what identifies the same one of arrow.

    Args:
        texts: the texts, as objects.
        is_null: which of them are missing instead.
    """
    hasher = Hasher("rows")
    hasher.describe(len(texts))
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        mask = is_null[rows]
        nulls = int(mask.sum())
        hasher.describe(len(mask), nulls)
        if nulls:
            hasher.add(mask.data)
        seen = texts[rows][~mask] if nulls else texts[rows]
        for piece in encode_texts(seen.tolist()):
            hasher.add(piece)
    return hasher.part()


def _add_rows(hasher: Hasher, column: Any) -> None:  # noqa: ANN401 - an array or chunked array
    hasher.describe(len(column))
    # In blocks of the same rows whatever the chunks, so that these leave no trace.
    for start in range(0, len(column), _ROWS_AT_ONCE):
        rows = column.slice(start, _ROWS_AT_ONCE)
        chunks = [_unpack(chunk) for chunk in getattr(rows, "chunks", [rows]) if len(chunk)]
        _add_block(hasher, chunks[0] if len(chunks) == 1 else _join(chunks))


def _add_block(hasher: Hasher, block: Any) -> None:  # noqa: ANN401 - an array
    pyarrow: Any = sys.modules["pyarrow"]
    nulls = block.null_count
    hasher.describe(len(block), nulls)
    if pyarrow.types.is_null(block.type):
        return
    if nulls:
        hasher.add(_read_buffer(block.is_null().cast("uint8")))
    _add_values(hasher, block)


def _add_values(hasher: Hasher, block: Any) -> None:  # noqa: ANN401 - an array
    """Add what an array holds. Behind nulls there is nothing, or what is always the same."""
    kind = type(block.type).__name__
    text_format = _OFFSETS.get(str(block.type))
    if kind == "StructType":
        for child in block.flatten():
            _add_rows(hasher, child)
    elif kind in _LISTS:
        lengths = _load_compute().list_value_length(block).cast("int64").fill_null(0)
        hasher.add(_read_buffer(lengths))
        _add_rows(hasher, block.flatten())
    elif "Union" in kind:
        raise TypeError("unions cannot be read")
    elif text_format:
        block = block.drop_null()
        hasher.add(_read_buffer(_load_compute().binary_length(block).cast("int64")))
        hasher.add(_read_text(block, text_format))
    else:
        hasher.add(_read_buffer(_make_plain(_clear_nulls(block))))


def _join(chunks: Sequence[Any]) -> Any:  # noqa: ANN401 - arrays
    return sys.modules["pyarrow"].concat_arrays(chunks)


def _clear_nulls(block: Any) -> Any:  # noqa: ANN401 - arrays
    """Return an array without the nulls, or with zeros for them, where that is faster."""
    if not block.null_count:
        return block
    pyarrow: Any = sys.modules["pyarrow"]
    if not pyarrow.types.is_primitive(block.type) or block.type.bit_width not in _WIDTHS:
        return block.drop_null()
    return block.view(f"int{block.type.bit_width}").fill_null(0).view(block.type)


def _unpack(chunk: Any) -> Any:  # noqa: ANN401 - arrays
    """Return an array's values in a type that only holds values."""
    pyarrow: Any = sys.modules["pyarrow"]
    kind = chunk.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _unpack(chunk.storage)
    if isinstance(kind, pyarrow.DictionaryType):
        return _unpack(chunk.dictionary_decode())
    if str(kind) in _UNPACKED:
        return chunk.cast(_UNPACKED[str(kind)])
    if isinstance(kind, pyarrow.MapType):
        pair = pyarrow.struct([kind.key_field, kind.item_field])
        return chunk.cast(pyarrow.list_(pair))
    if type(kind).__name__ == "RunEndEncodedType":
        return _unpack(_load_compute().run_end_decode(chunk))
    return chunk


def _make_plain(chunk: Any) -> Any:  # noqa: ANN401 - arrays
    """Return values of which equal ones have equal bytes."""
    pyarrow: Any = sys.modules["pyarrow"]
    if pyarrow.types.is_boolean(chunk.type):
        return chunk.cast(pyarrow.uint8())
    if not pyarrow.types.is_floating(chunk.type):
        return chunk
    compute = _load_compute()
    if chunk.type.bit_width > 16 and not math.isnan(compute.sum(chunk).as_py() or 0):  # noqa: PLR2004 - of halves there are no sums
        return chunk
    is_nan = compute.is_nan(chunk)
    return compute.if_else(is_nan, pyarrow.scalar(math.nan, chunk.type), chunk)


def _read_buffer(chunk: Any) -> memoryview:  # noqa: ANN401 - an array of a fixed width
    if not len(chunk):
        return memoryview(b"")
    width_bytes = chunk.type.bit_width // 8
    start = chunk.offset * width_bytes
    return memoryview(chunk.buffers()[1])[start : start + len(chunk) * width_bytes]


def _read_text(chunk: Any, offset_format: str) -> memoryview:  # noqa: ANN401 - an array
    _, offsets, content = chunk.buffers()
    if not (len(chunk) and content):
        return memoryview(b"")
    width_bytes = struct.calcsize(offset_format)
    start, end = (
        struct.unpack_from(offset_format, offsets, place * width_bytes)[0]
        for place in (chunk.offset, chunk.offset + len(chunk))
    )
    return memoryview(content)[start:end]


def _load_compute() -> Any:  # noqa: ANN401 - a module
    return importlib.import_module("pyarrow.compute")
