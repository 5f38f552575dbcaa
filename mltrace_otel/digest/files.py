"""Digests of files and folders. In: paths. Out: digests of what is there.

Files are read, not mapped: a mapped file that somebody shortens kills the program.
"""

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import xxhash

from mltrace_otel.digest.content import Digest, Hasher, Part

_CHUNK_BYTES = 1 << 18
_SAMPLES = 64
_SAMPLE_BYTES = 1 << 16
FILES_LIMIT = 1_000


def digest_file(path: Path, limit_bytes: int | None = None) -> Digest | None:
    """Return the digest of a file's or folder's content; None if it cannot be read.

    A file has the digest of the same bytes in memory, a folder that of the names and contents of
    all files in it.

    Args:
        path: the file or folder.
        limit_bytes: size above which only samples are read; None to read all in any case.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return _digest_folder(path, limit_bytes)
        if not stat.S_ISREG(status.st_mode):  # reading a pipe would take from its reader
            return None
        is_sampled = limit_bytes is not None and status.st_size > limit_bytes
        part = _sample(path, status.st_size) if is_sampled else _read(path)
    except (OSError, ValueError):  # there is no such file, or no such path
        return None
    return part.digest(is_sampled=is_sampled)


def _read(path: Path) -> Part:
    hash_ = xxhash.xxh3_128()
    size_bytes = 0
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hash_.update(buffer[:count])
            size_bytes += count
    return Part(hash_.digest(), size_bytes)


def _sample(path: Path, size_bytes: int, samples: int = _SAMPLES) -> Part:
    """Return what identifies a file's size, its start, its end, and places evenly between."""
    hasher = Hasher("file", size_bytes)
    last = max(0, size_bytes - _SAMPLE_BYTES)
    with path.open("rb", buffering=0) as file:
        for sample in range(samples):
            start = last * sample // (samples - 1)
            hasher.add(os.pread(file.fileno(), _SAMPLE_BYTES, start))
    return Part(hasher.part().key, size_bytes)


def _digest_folder(path: Path, limit_bytes: int | None) -> Digest | None:
    found = sorted(islice(_list_files(path, ""), FILES_LIMIT + 1))
    if len(found) > FILES_LIMIT:
        return None
    size_bytes = sum(size_bytes for _, size_bytes in found)
    is_sampled = limit_bytes is not None and size_bytes > limit_bytes
    samples = max(2, _SAMPLES // max(1, len(found)))
    hasher = Hasher("folder", tuple(name for name, _ in found))
    for name, size in found:
        file = path / name
        hasher.put([_sample(file, size, samples) if is_sampled else _read(file)])
    return hasher.part().digest(is_sampled=is_sampled)


def _list_files(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Return names and sizes of the files under a folder; links to folders are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _list_files(folder / entry.name, f"{name}/")
            elif entry.is_file():
                yield name, entry.stat().st_size
