"""What values look like in files. In: values and paths. Out: files, and equal values again.

Data frames become Parquet, arrays .npy, everything else joblib's pickles. What Parquet or .npy
cannot give back exactly becomes a pickle, too; only reading it back tells.
"""

import importlib
import sys
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from mltrace_otel.digest import Digest, digest
from mltrace_otel.errors import ArtifactError

_FOREIGN_SUFFIXES = frozenset(
    {
        *(".arrow", ".avro", ".csv", ".feather", ".h5", ".html", ".json", ".jsonl", ".npz"),
        *(".onnx", ".orc", ".safetensors", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml"),
    }
)
_FRAMES = ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table")
_ARRAY = "numpy.ndarray"
_KINDS = {kind: kind for kind in (*_FRAMES, _ARRAY)} | {"numpy.memmap": _ARRAY}


class Format(StrEnum):
    """How a value is kept in a file; its text is the file's suffix."""

    PARQUET = ".parquet"
    NPY = ".npy"
    JOBLIB = ".joblib"


_MAGIC = {b"PAR1": Format.PARQUET, b"\x93NUMPY": Format.NPY}


class Misfit(ArtifactError):  # noqa: N818 - named for what is wrong
    """A format cannot hold a value; joblib's may."""


def name_kind(value: object) -> str:
    """Return what a value is, e.g. ``pandas.DataFrame``."""
    kind = type(value)
    for name, known in _KINDS.items():
        library, _, type_name = name.partition(".")
        if kind is getattr(sys.modules.get(library), type_name, None):
            return known
    return f"{kind.__module__}.{kind.__qualname__}"


def choose_formats(value: object) -> tuple[Format, ...]:
    """Return the formats that may hold a value, the best first."""
    kind = name_kind(value)
    if kind in _FRAMES:
        return Format.PARQUET, Format.JOBLIB
    return (Format.NPY, Format.JOBLIB) if kind == _ARRAY else (Format.JOBLIB,)


def read_suffix(address: str) -> Format:
    """Return the format that an address's suffix asks for.

    Raises:
        ArtifactError: it promises one that does not give back what was saved.
    """
    suffix = PurePosixPath(address).suffix.lower()
    if suffix in _FOREIGN_SUFFIXES:
        raise ArtifactError(
            f"Cannot write {address}: only .parquet, .npy and .joblib files give back exactly what "
            f"was saved. Choose one of them, or write the {suffix} file yourself and name its path "
            "in output_vars."
        )
    return Format(suffix) if suffix in set(Format) else Format.JOBLIB


def write_value(value: object, path: Path, format_: Format, content: Digest | None) -> None:
    """Write a value to a file.

    Args:
        value: what to write.
        path: where to.
        format_: how.
        content: its digest, which it must have again when it is read back.

    Raises:
        Misfit: the format cannot hold the value, or a library is missing.
        ArtifactError: the value cannot be pickled.
        OSError: the file cannot be written.
    """
    kind = name_kind(value)
    try:
        _write(value, kind, path, format_)
        if format_ is Format.JOBLIB:
            return
        back = digest(_read(path, format_, kind))
    except OSError:
        raise
    except ImportError as error:
        raise Misfit(
            f"{error}. To keep a {kind} in a {format_} file: pip install 'mltrace-otel[artifacts]'."
        ) from error
    except Exception as error:  # each library, and each value, refuses in its own way
        raise Misfit(
            f"A {format_} file cannot hold this {kind} ({type(error).__name__}: {error})."
        ) from error
    if content is None or back is None or back.text != content.text:
        raise Misfit(f"A {format_} file would give back another {kind}: choose .joblib.")


def read_value(path: Path, kind: str | None, *, loads_joblib: bool) -> object:
    """Return the value that a file keeps.

    Args:
        path: the file; its first bytes tell the format.
        kind: what it was before it was saved, if that is known.
        loads_joblib: whether a pickle, which runs code as it is loaded, may be loaded.

    Raises:
        ArtifactError: it cannot be read, or must not be.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(max(map(len, _MAGIC)))
    format_ = next((f for magic, f in _MAGIC.items() if start.startswith(magic)), Format.JOBLIB)
    if format_ is Format.JOBLIB and not loads_joblib:
        raise ArtifactError(
            "It is a joblib file, which runs code as it is loaded: MLTRACE_LOAD_JOBLIB=false "
            "forbids that."
        )
    try:
        return _read(path, format_, kind)
    except OSError:
        raise
    except Exception as error:  # what is read runs code, which may raise anything
        raise ArtifactError(
            f"It is no {format_} file that this program can read ({type(error).__name__}: {error})."
        ) from error


def _write(value: Any, kind: str, path: Path, format_: Format) -> None:  # noqa: ANN401 - any value
    if format_ is Format.JOBLIB:
        _load("joblib").dump(value, path)
    elif format_ is Format.NPY and kind == _ARRAY:
        with path.open("wb") as file:
            _load("numpy").lib.format.write_array(file, value, allow_pickle=False)
    elif format_ is Format.PARQUET and kind == "pandas.DataFrame":
        value.to_parquet(path, engine="pyarrow")
    elif format_ is Format.PARQUET and kind == "polars.DataFrame":
        if _load("polars").Object in value.dtypes:
            raise TypeError("a column holds Python objects")
        value.write_parquet(path)
    elif format_ is Format.PARQUET and kind == "pyarrow.Table":
        _load("pyarrow.parquet").write_table(value, path)
    else:
        raise TypeError("it is made for another kind of value")


def _read(path: Path, format_: Format, kind: str | None) -> object:
    if format_ is Format.JOBLIB:
        # Otherwise joblib swaps the bytes of other machines' arrays, and their dtypes with them.
        return _load("joblib").load(path, ensure_native_byte_order=False)
    if format_ is Format.NPY:
        return _load("numpy").load(path, allow_pickle=False)
    if kind == "polars.DataFrame":
        return _load("polars").read_parquet(path)
    if kind == "pyarrow.Table":
        return _load("pyarrow.parquet").read_table(path)
    return _load("pandas").read_parquet(path, engine="pyarrow")


def _load(library: str) -> Any:  # noqa: ANN401 - a module
    """Import a library that only programs with such values have."""
    return importlib.import_module(library)
