"""Files, on this machine or in any store that fsspec knows. In: addresses. Out: bytes and sizes.

An address is a path, or a URL such as ``s3://bucket/folder``. A file appears whole or not at all:
on this machine it is written beside its place and then renamed; object stores do the same.
"""

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from mltrace_otel.errors import ArtifactError, ArtifactMissing

_PASSWORD = re.compile(r"(\w[\w+.-]*://)[^/@]*:[^/@]*@")
_DRAFT_SUFFIX = ".mltrace-draft"
_DRAFT_LIFE_S = 24 * 3600


class Files(Protocol):
    """Files of one kind. Whatever goes wrong with them is an `ArtifactError`."""

    def read(self, address: str) -> bytes:
        """Return a file's bytes."""

    def measure(self, address: str) -> int:
        """Return a file's size in bytes."""

    def add_up(self, folder: str) -> int:
        """Return the size in bytes of all files under a folder."""

    def draft(self, address: str) -> AbstractContextManager[Path]:
        """Give a path to write to; what was written there becomes the file at ``address``."""

    def fetch(self, address: str) -> AbstractContextManager[Path]:
        """Give a path of this machine to read a file from."""


def is_remote(address: str) -> bool:
    """Tell whether an address is a URL of a store rather than a path of this machine."""
    return "://" in address or "::" in address


def clean_address(address: str | os.PathLike[str]) -> str:
    """Return an address as it is named everywhere: paths of this machine carry no scheme."""
    text = os.fspath(address)
    for scheme in ("file://", "local://"):
        text = text.removeprefix(scheme)
    return text if is_remote(text) else os.path.expanduser(text)  # noqa: PTH111 - stays a text


def hide_password(name: str) -> str:
    """Return an address without the user and password that a URL may have."""
    return _PASSWORD.sub(r"\1", name) if "@" in name else name


def join(folder: str, name: str) -> str:
    """Return the address of a file in a folder."""
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def find_files(address: str) -> Files:
    """Return what handles the files of an address's kind."""
    return _RemoteFiles() if is_remote(address) else _LocalFiles()


class _LocalFiles:
    """Files of this machine."""

    def read(self, address: str) -> bytes:
        with _read_from(address):
            return Path(address).read_bytes()

    def measure(self, address: str) -> int:
        with _read_from(address):
            return Path(address).stat().st_size

    def add_up(self, folder: str) -> int:
        size_bytes = 0
        oldest_draft_s = time.time() - _DRAFT_LIFE_S
        for path, _, names in os.walk(folder):
            for name in names:
                file = Path(path, name)
                with suppress(OSError):  # somebody else removed it
                    status = file.stat()
                    if name.endswith(_DRAFT_SUFFIX) and status.st_mtime < oldest_draft_s:
                        file.unlink()  # its writer was killed
                    else:
                        size_bytes += status.st_size
        return size_bytes

    @contextmanager
    def draft(self, address: str) -> Iterator[Path]:
        place = Path(os.path.realpath(address))  # a symbolic link stays one
        draft = place.with_name(f".{secrets.token_hex(8)}{_DRAFT_SUFFIX}")
        with _write_to(address):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield draft
                draft.replace(place)
            finally:
                draft.unlink(missing_ok=True)

    @contextmanager
    def fetch(self, address: str) -> Iterator[Path]:
        with _read_from(address):
            file = Path(address)
            file.stat()
            yield file


class _RemoteFiles:
    """Files of a store that fsspec knows."""

    def read(self, address: str) -> bytes:
        with _read_from(address):
            store, path = _resolve(address)
            content: bytes = store.cat_file(path)
            return content

    def measure(self, address: str) -> int:
        with _read_from(address):
            store, path = _resolve(address)
            return int(store.info(path)["size"] or 0)

    def add_up(self, folder: str) -> int:
        with _read_from(folder):
            store, path = _resolve(folder)
            try:
                return int(store.du(path))
            except FileNotFoundError:
                return 0
            finally:
                store.invalidate_cache(path)  # other processes write there, too

    @contextmanager
    def draft(self, address: str) -> Iterator[Path]:
        with _write_to(address), TemporaryDirectory(prefix="mltrace-") as folder:
            store, path = _resolve(address)
            draft = Path(folder, "draft")
            yield draft
            store.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
            store.put_file(str(draft), path)

    @contextmanager
    def fetch(self, address: str) -> Iterator[Path]:
        with _read_from(address), TemporaryDirectory(prefix="mltrace-") as folder:
            store, path = _resolve(address)
            copy = Path(folder, "copy")
            store.info(path)  # some stores say of missing files only that something failed
            store.get_file(path, str(copy))
            yield copy


def _resolve(address: str) -> tuple[Any, str]:
    """Return the file system of a URL, which fsspec keeps for later, and the path in it."""
    try:
        import fsspec  # noqa: PLC0415 - few programs keep values elsewhere
    except ImportError as error:
        raise ArtifactError(
            f"{address} is a URL, which needs fsspec: pip install 'mltrace-otel[artifacts]'."
        ) from error
    store, path = fsspec.core.url_to_fs(address)
    return store, str(path)


@contextmanager
def _read_from(address: str) -> Iterator[None]:
    try:
        yield
    except ArtifactError:
        raise
    except FileNotFoundError as error:
        raise ArtifactMissing(f"There is no file {hide_password(address)}.") from error
    except Exception as error:  # each kind of store has errors of its own
        hidden = hide_password(address)
        raise ArtifactError(f"Cannot read {hidden} ({_describe(error)}).") from error


@contextmanager
def _write_to(address: str) -> Iterator[None]:
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:  # each kind of store has errors of its own
        raise ArtifactError(
            f"Cannot write {hide_password(address)} ({_describe(error)}): make room there, or save "
            "elsewhere by another path or MLTRACE_SAVE_DIR."
        ) from error


def _describe(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or f"{type(error).__name__}: {error}".removesuffix(": ")
