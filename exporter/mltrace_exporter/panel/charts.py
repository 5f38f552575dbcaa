"""A column's profile to a small picture: bars, with those of a reference behind them. Pure.

Numbers are counted anew in bins of one width that both share; what lies beyond the bins is in the
outermost, so that a few extremes do not flatten the rest. Values that have no order are listed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from mltrace_exporter.panel.formats import percent, shorten
from mltrace_otel.profiles.histograms import count_all, list_intervals
from mltrace_otel.profiles.shapes import Column, ColumnKind, Numbers
from mltrace_otel.profiles.summaries import estimate_quantiles

BINS = 24
VALUES_SHOWN = 6
WIDTH, HEIGHT = 192.0, 44.0
_TAIL = 0.005
_SMALL, _THOUSAND, _LARGE = 1e-3, 1e3, 1e6  # where numbers are written in another way


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin or a value: its label, its share of all now and in the reference, 0 to 1."""

    label: str
    now: float
    before: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side.

    Attributes:
        bars: from left to right, or the most frequent value first.
        is_ordered: whether they are bins of numbers, or values.
        low: where the first bin begins, for people.
        high: where the last bin ends.
    """

    bars: list[Bar]
    is_ordered: bool
    low: str = ""
    high: str = ""

    @property
    def peak(self) -> float:
        """The largest share."""
        return max(max(bar.now, bar.before or 0.0) for bar in self.bars) or 1.0

    @property
    def words(self) -> str:
        """What is seen, for those who do not see it."""
        if self.is_ordered:
            top = max(self.bars, key=lambda bar: bar.now)
            return f"from {self.low} to {self.high}, most often about {top.label}"
        return ", ".join(f"{bar.label} {percent(bar.now)}" for bar in self.bars)

    def rects(self) -> Iterator[tuple[float, float, float, float]]:
        """Yield left, top, width and height of each bin that holds something."""
        step = WIDTH / len(self.bars)
        for number, bar in enumerate(self.bars):
            tall = round(max(bar.now / self.peak * HEIGHT, 1.0 if bar.now else 0.0), 1)
            if tall:
                yield (
                    round(number * step + 0.5, 1),
                    round(HEIGHT - tall, 1),
                    round(step - 1, 1),
                    tall,
                )

    def outline(self) -> str:
        """Return the reference as the ``d`` of a path over the bins; empty without one."""
        if self.bars[0].before is None:
            return ""
        step = WIDTH / len(self.bars)
        tops = [round(HEIGHT - (bar.before or 0.0) / self.peak * HEIGHT, 1) for bar in self.bars]
        steps = (f"V{top}H{round((number + 1) * step, 1)}" for number, top in enumerate(tops))
        return f"M0 {HEIGHT}{''.join(steps)}V{HEIGHT}"


def draw_column(now: Column, before: Column | None = None) -> Chart | None:
    """Return the picture of a column; None if it holds nothing that can be drawn."""
    if before is not None and before.kind is not now.kind:
        before = None
    if now.values is not None:
        return _list_values(now, before)
    return _count_numbers(now, before)


def _list_values(now: Column, before: Column | None) -> Chart | None:
    if now.values is None or not now.count:
        return None
    were = before and before.values and dict(before.values.top)
    total = before.count if before else 0
    bars = [
        Bar(
            shorten(value, 28),
            count / now.count,
            were.get(value, 0) / total if were and total else None,
        )
        for value, count in now.values.top[:VALUES_SHOWN]
    ]
    return Chart(bars, is_ordered=False) if bars else None


def _count_numbers(now: Column, before: Column | None) -> Chart | None:
    if now.numbers is None or not count_all(now.numbers.histogram):
        return None
    theirs = before.numbers.histogram if before and before.numbers else None
    if theirs is not None and not count_all(theirs):
        theirs = None
    low, high = _find_range([now, before] if before and theirs else [now])
    # So that the width of all bins together need not be a number.
    edges = [low * (1 - part / BINS) + high * (part / BINS) for part in range(BINS + 1)]
    shares = _share_out(now.numbers, edges)
    were = _share_out(before.numbers, edges) if before and before.numbers and theirs else None
    bars = [
        Bar(
            _write(now.kind, edges[number] / 2 + edges[number + 1] / 2),
            share,
            were[number] if were else None,
        )
        for number, share in enumerate(shares)
    ]
    return Chart(bars, is_ordered=True, low=_write(now.kind, low), high=_write(now.kind, high))


def _find_range(columns: Sequence[Column]) -> tuple[float, float]:
    """Return where most of the numbers lie, with some room if that is one point."""
    lows, highs = [], []
    for column in columns:
        numbers = column.numbers
        if numbers is None:
            continue
        low, high = estimate_quantiles(numbers, (_TAIL, 1 - _TAIL))
        lows.append(low or 0.0)
        highs.append(high or 0.0)
    low, high = min(lows), max(highs)
    if high / 2 - low / 2 <= abs(high) * 1e-9:
        room = abs(low) / 2 or 0.5
        return low - room, high + room
    return low, high


def _share_out(numbers: Numbers, edges: Sequence[float]) -> list[float]:
    """Return the share of numbers in each bin; within a bucket they are taken as evenly spread."""
    total = count_all(numbers.histogram)
    intervals = [
        (_clamp(each.lower, numbers), _clamp(each.upper, numbers), each.count)
        for each in list_intervals(numbers.histogram)
    ]
    at_most, below, place = [], 0.0, 0
    for edge in edges:
        while place < len(intervals) and intervals[place][1] <= edge:
            below += intervals[place][2]
            place += 1
        begun = intervals[place : place + 1]
        at_most.append(below + sum(_count_below(*each, edge) for each in begun))
    at_most[0], at_most[-1] = 0.0, float(total)
    return [(upper - lower) / total for lower, upper in pairwise(at_most)]


def _count_below(lower: float, upper: float, count: int, edge: float) -> float:
    # No bucket has both signs, so that the widest have a width; twice that need not be a number.
    return count * ((edge - lower) / (upper - lower)) if lower < edge else 0.0


def _clamp(value: float, numbers: Numbers) -> float:
    if numbers.minimum is None or numbers.maximum is None:
        return value
    return min(max(value, numbers.minimum), numbers.maximum)


def _write(kind: ColumnKind, value: float) -> str:
    if kind is ColumnKind.DATETIME:
        try:
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}"
        except (OverflowError, ValueError, OSError):
            return f"{value:.3g}"
    return write_number(value)


def write_number(value: float | None) -> str:
    """Write a number with about four digits: "1,234", "0.01235", "1.235e+09"."""
    if value is None:
        return "\N{EN DASH}"
    if value and not _SMALL <= abs(value) < _LARGE:
        return f"{value:.4g}"
    is_whole = abs(value) >= _THOUSAND or value == int(value)
    return f"{value:,.0f}" if is_whole else f"{value:.4g}"
