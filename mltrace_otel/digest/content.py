"""What identifies a content. In: facts, bytes and parts. Out: digests.

A content is hashed as a tree: each part has a hash of its own, so that a part which occurs twice
counts as much as two equal ones. Every part starts with facts that tell where it ends, so that two
different contents never feed the same bytes to the hash.
"""

import marshal
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import xxhash

if TYPE_CHECKING:
    from typing_extensions import Buffer

_ALGORITHM = "xxh3-128"
_SAMPLED = "sampled-"
_MARSHAL_VERSION = 2  # the last that does not tell equal parts from shared ones
_LETTERS_AT_ONCE = 1 << 17
_SEED = 1  # what we say about contents never looks like a content of bytes, which has the seed 0


@dataclass(frozen=True, slots=True)
class Digest:
    """What identifies a content: ``text`` is ``<algorithm>:<hex>``."""

    text: str
    size_bytes: int

    @property
    def is_sampled(self) -> bool:
        """Whether samples of the content were read instead of all of it."""
        return self.text.startswith(_SAMPLED)


class Part(NamedTuple):
    """What identifies a part of a content, and the part's size."""

    key: bytes
    size_bytes: int

    def digest(self, *, is_sampled: bool = False) -> Digest:
        """Return the digest of a content that has no other parts."""
        algorithm = f"{_SAMPLED}{_ALGORITHM}" if is_sampled else _ALGORITHM
        return Digest(f"{algorithm}:{self.key.hex()}", self.size_bytes)


class Hasher:
    """Takes a part in pieces."""

    __slots__ = ("_hash", "_size_bytes")

    def __init__(self, *facts: object) -> None:
        """Begin with what tells parts of equal bytes apart: texts, numbers, tuples of such."""
        self._hash = xxhash.xxh3_128(write_facts(facts), seed=_SEED)
        self._size_bytes = 0

    def add(self, piece: "Buffer") -> None:
        """Add bytes."""
        view = memoryview(piece)
        self._hash.update(view)
        self._size_bytes += view.nbytes

    def describe(self, *facts: object) -> None:
        """Add facts that are no content."""
        self._hash.update(write_facts(facts))

    def put(self, parts: Iterable[Part]) -> None:
        """Add parts, in their order."""
        for key, size_bytes in parts:
            self._hash.update(key)
            self._size_bytes += size_bytes

    def part(self) -> Part:
        """Return the part that was taken so far."""
        return Part(self._hash.digest(), self._size_bytes)


def write_facts(facts: Any) -> bytes:  # noqa: ANN401 - marshal's own type has no name
    """Return scalars, and tuples and lists of them, as bytes, equal ones as the same bytes."""
    return marshal.dumps(facts, _MARSHAL_VERSION)


def hash_bytes(content: "Buffer") -> Part:
    """Return the part of plain bytes, which is also that of a file with these bytes."""
    view = memoryview(content)
    if not view.c_contiguous:
        view = memoryview(view.tobytes())
    return Part(xxhash.xxh3_128_digest(view), view.nbytes)


def hash_text(text: str) -> Part:
    """Return the part of a text, which is that of its bytes in UTF-8."""
    hash_ = xxhash.xxh3_128()
    size_bytes = 0
    for start in range(0, len(text), _LETTERS_AT_ONCE):
        piece = _encode(text[start : start + _LETTERS_AT_ONCE])
        hash_.update(piece)
        size_bytes += len(piece)
    return Part(hash_.digest(), size_bytes)


def encode_texts(texts: Sequence[str]) -> "tuple[array[int], bytes]":
    """Return the sizes of texts in UTF-8, as integers of 8 bytes, and all their bytes."""
    joined = "".join(texts)
    content = _encode(joined)
    is_ascii = len(content) == len(joined)
    return array("q", map(len, texts if is_ascii else map(_encode, texts))), content


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def hash_small(content: bytes) -> Part:
    """Return the part of bytes that we have made and that say themselves what they are."""
    return Part(xxhash.xxh3_128_digest(content, seed=_SEED), len(content))
