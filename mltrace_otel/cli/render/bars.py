"""Distributions as small bars. In: numbers, histograms. Out: a line of characters."""

from collections.abc import Iterator, Sequence

from mltrace_otel.profiles.histograms import find_quantiles, share_at_most
from mltrace_otel.profiles.shapes import Histogram

_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = (0.01, 0.99)


def draw_bars(amounts: Sequence[float]) -> str:
    """Return a bar for each amount, the highest for the largest; a blank where there is nothing."""
    most = max(amounts, default=0.0)
    return "".join(_draw(amount / most) if amount > 0 else " " for amount in amounts)


def draw_series(values: Sequence[float | None]) -> str:
    """Return a bar for each value, from the least to the greatest; a blank for None."""
    known = [value for value in values if value is not None]
    least, most = min(known, default=0.0), max(known, default=0.0)
    width = most / 2 - least / 2 or 1.0  # halves, so that their difference is never too large
    return "".join(
        " " if value is None else _draw((value / 2 - least / 2) / width) for value in values
    )


def _draw(share: float) -> str:
    return _BARS[min(round(share * (len(_BARS) - 1)), len(_BARS) - 1)]


def draw_histogram(histogram: Histogram, width: int) -> str:
    """Return so many bars over the range of values, but for the outermost percent on each side."""
    low, high = find_quantiles(histogram, _SHOWN)
    if low is None or high is None:
        return ""
    if low == high:
        return _BARS[-1]
    return draw_bars(list(_share_out(histogram, low, high, width)))


def _share_out(histogram: Histogram, low: float, high: float, width: int) -> Iterator[float]:
    step = high / width - low / width
    before = 0.0
    for place in range(1, width + 1):
        edge = high if place == width else low + place * step
        share = share_at_most(histogram, edge) or 0.0
        # What lies below the range belongs to nobody.
        yield share - before if place > 1 else share - (share_at_most(histogram, low) or 0.0)
        before = share
