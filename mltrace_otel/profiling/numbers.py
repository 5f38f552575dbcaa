"""Numbers of numpy's. In: arrays of one dimension. Out: their summaries.

Everything is read in blocks that fit a processor's cache. Of many values the logarithm is not
taken: the bits of a float, less its sign, are in the order of magnitudes, so counts of their
leading bits are a histogram of some ten thousand equal steps, whose middles are put into the
buckets. So an edge of a bucket may be off by one such step, of which a bucket has some fifty;
powers of 2 are exact.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltrace_otel.profiles.histograms import EMPTY, fit_scale
from mltrace_otel.profiles.merging import add
from mltrace_otel.profiles.shapes import FINEST_SCALE, Buckets, Histogram, Numbers

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 1 << 16
_STEPS = 1 << 14
_EXACT_LIMIT = 1 << 14
_DOUBLE = "float64"
_INTEGER = "int64"
_SIGN_BITS = 63
_MAGNITUDE = (1 << _SIGN_BITS) - 1


@dataclass(frozen=True, slots=True)
class _Block:
    """What the finite numbers of one block add up to, and the bits of their magnitudes."""

    count: int
    minimum: float
    maximum: float
    total: float
    squares: float
    least_bits: int
    most_bits: int


@dataclass(frozen=True, slots=True)
class _Side:
    """Indices of one sign at the finest scale, and how many numbers have each; None for 1."""

    indices: "np.ndarray"
    counts: "np.ndarray | None" = None


def summarise_array(array: "np.ndarray") -> tuple[int, Numbers]:
    """Return how many numbers are NaN, and the summary of all others.

    Args:
        array: numbers that are not complex, of one dimension.
    """
    numpy = sys.modules["numpy"]
    with numpy.errstate(all="ignore"):
        blocks = [_sum_up(block) for block in _read_finite(array) if len(block)]
        count = sum(block.count for block in blocks)
        nans = 0 if count == len(array) else int(numpy.count_nonzero(numpy.isnan(array)))
        return nans, Numbers(
            minimum=min((block.minimum for block in blocks), default=None),
            maximum=max((block.maximum for block in blocks), default=None),
            total=add(block.total for block in blocks),
            squares=add(block.squares for block in blocks),
            infinite=len(array) - count - nans,
            histogram=_count(array, blocks, count) if count else EMPTY,
        )


def _read(array: "np.ndarray") -> "Iterator[np.ndarray]":
    numpy = sys.modules["numpy"]
    for start in range(0, len(array), _BLOCK):
        yield numpy.ascontiguousarray(array[start : start + _BLOCK], dtype=_DOUBLE)


def _read_finite(array: "np.ndarray") -> "Iterator[np.ndarray]":
    numpy = sys.modules["numpy"]
    for block in _read(array):
        is_finite = numpy.isfinite(block)
        yield block if is_finite.all() else block[is_finite]


def _sum_up(block: "np.ndarray") -> _Block:
    magnitudes = _read_magnitudes(block)
    # Not by a dot product: that would wake the threads of a linear algebra library.
    squares = sys.modules["numpy"].einsum("i,i", block, block)
    return _Block(
        len(block),
        float(block.min()),
        float(block.max()),
        float(block.sum()),
        float(squares),
        int(magnitudes.view("uint64").min()),  # of 0 these are the largest of all
        int(magnitudes.max()),
    )


def _read_magnitudes(block: "np.ndarray") -> "np.ndarray":
    """Return bits without sign, less 1: so an upper edge belongs to what is below it."""
    magnitudes: np.ndarray = (block.view(_INTEGER) & _MAGNITUDE) - 1
    return magnitudes


def _count(array: "np.ndarray", blocks: Sequence[_Block], count: int) -> Histogram:
    """Return the histogram of the finite numbers of an array."""
    most_bits = max(block.most_bits for block in blocks)
    if most_bits < 0:
        return Histogram(FINEST_SCALE, count)
    if count <= _EXACT_LIMIT:
        sides = _find_exactly(array)
    else:
        sides = _find_by_steps(array, min(block.least_bits for block in blocks), most_bits)
    extremes = [[int(side.indices.min()), int(side.indices.max())] for side in sides if side]
    scale = fit_scale(*extremes)
    positive, negative = (_fill(side, FINEST_SCALE - scale) for side in sides)
    zeros = count - sum(positive.counts) - sum(negative.counts)
    return Histogram(scale, zeros, positive, negative)


def _fill(side: _Side | None, shift: int) -> Buckets:
    if side is None:
        return Buckets()
    indices = side.indices >> shift
    first = int(indices.min())
    counts = sys.modules["numpy"].bincount(indices - first, weights=side.counts)
    return Buckets(first, tuple(counts.astype(_INTEGER).tolist()))


def _find_exactly(array: "np.ndarray") -> list[_Side | None]:
    """Return the positive and the negative side, of the logarithms of all values."""
    values = sys.modules["numpy"].concatenate(list(_read_finite(array)))
    is_positive = values > 0
    if is_positive.all():
        return [_Side(_find_indices(values)), None]
    sides = (values[is_positive], -values[values < 0])
    return [_Side(_find_indices(side)) if len(side) else None for side in sides]


def _find_by_steps(array: "np.ndarray", least: int, most: int) -> list[_Side | None]:
    """Return the positive and the negative side, of counts of leading bits."""
    numpy = sys.modules["numpy"]
    shift = max((most - least).bit_length() - _STEPS.bit_length() + 1, 0)
    before = (least >> shift) - 1
    steps = (most >> shift) - before + 1
    counts = numpy.zeros(2 * steps, dtype=_INTEGER)
    for block in _read(array):
        counts += numpy.bincount(_find_steps(block, shift, before, steps), minlength=2 * steps)
    return [_find_middles(half, shift, before) for half in (counts[:steps], counts[steps:])]


def _find_steps(block: "np.ndarray", shift: int, before: int, steps: int) -> "np.ndarray":
    """Return the step of each number: 0 for 0 and what is not finite, negative ones in a half."""
    numpy = sys.modules["numpy"]
    is_finite = numpy.isfinite(block)
    if not is_finite.all():
        block = numpy.where(is_finite, block, 0.0)
    found: np.ndarray = _read_magnitudes(block)
    found >>= shift
    found -= before
    numpy.maximum(found, 0, out=found)
    found += (block.view(_INTEGER) >> _SIGN_BITS) & steps
    return found


def _find_middles(counts: "np.ndarray", shift: int, before: int) -> _Side | None:
    (filled,) = counts[1:].nonzero()
    if not len(filled):
        return None
    middles = ((filled + 1 + before) << shift) + max(1 << shift >> 1, 1)
    return _Side(_find_indices(middles.view(_DOUBLE)), counts[1:][filled])


def _find_indices(magnitudes: "np.ndarray") -> "np.ndarray":
    numpy = sys.modules["numpy"]
    exponents = numpy.ldexp(numpy.log2(magnitudes), FINEST_SCALE)
    indices: np.ndarray = numpy.ceil(exponents).astype(_INTEGER) - 1
    return indices
