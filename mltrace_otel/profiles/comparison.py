"""One column against what it was before. In: columns. Out: what differs, and by how much."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median, median_high

from mltrace_otel.profiles.bins import (
    count_numbers,
    count_together,
    count_values,
    join_buckets,
    join_values,
)
from mltrace_otel.profiles.distances import (
    Pair,
    add_up,
    find_chi_square_p,
    find_ks_p,
    measure_jensen_shannon,
    measure_ks,
    measure_psi,
)
from mltrace_otel.profiles.histograms import (
    count_all,
    find_quantiles,
    list_intervals,
    merge_histograms,
)
from mltrace_otel.profiles.references import ALLOWANCE, find_usual
from mltrace_otel.profiles.rules import MEASURES, THRESHOLDS, Draft, Rule
from mltrace_otel.profiles.shapes import Column, ColumnKind, Histogram, Numbers, Values
from mltrace_otel.profiles.verdicts import DriftMethod
from mltrace_otel.profiles.wording import percent, rough

_QUANTILES = {"median": 0.5, "95th percentile": 0.95, "5th percentile": 0.05}
_NAMES_SHOWN = 3
_NAMED_SHARE = 0.5
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}.*)?)?$")


@dataclass(slots=True)
class Comparison:
    """What was found of a column.

    Attributes:
        drafts: what is to be judged.
        psi: see `ColumnDrift`; the others likewise.
    """

    drafts: list[Draft] = field(default_factory=list)
    psi: float | None = None
    ks: float | None = None
    jensen_shannon: float | None = None


def compare_column(now: Column, before: Sequence[Column], rule: Rule) -> Comparison:
    """Return what differs between a column and earlier ones of its kind, the oldest first."""
    found = Comparison()
    filled = [column for column in before if column.count]
    if now.count and filled:
        values = [column.values for column in (now, *filled) if column.values]
        numbers = [column.numbers for column in (now, *filled) if column.numbers]
        if len(values) > len(filled) and all(map(_are_moments, values)):
            pass  # as moments
        elif len(values) > len(filled) and (not now.numbers or all(map(_are_named, values))):
            _compare_values(now, values, rule, found)
        elif len(numbers) > len(filled) and now.kind is not ColumnKind.DATETIME:
            _compare_numbers(now, numbers, rule, found)
    if before and now.count + now.nulls:
        found.drafts.append(_compare_nulls(now, before, rule))
    return found


def _are_moments(values: Values) -> bool:
    """Tell whether texts are dates or times, which go on like those that are typed as such."""
    return bool(values.top) and all(_DATE.match(name) for name, _ in values.top)


def _are_named(values: Values) -> bool:
    """Tell whether values are to be compared by name, not by length."""
    return values.other <= _NAMED_SHARE * count_together(values)


def _compare_numbers(
    now: Column, several: Sequence[Numbers], rule: Rule, found: Comparison
) -> None:
    present = [each for each in several if count_all(each.histogram)]
    if len(present) < 2 or present[0] is not now.numbers:  # noqa: PLR2004 - now and before
        return
    rows = count_numbers([each.histogram for each in present])
    bins = join_buckets(rows, [sum(row[1:]) for row in rows])
    usual = find_usual(bins, MEASURES[rule.measure], rule.limit)
    pairs = usual.pair(bins)
    found.psi = measure_psi(pairs)
    found.ks = measure_ks(usual.pair(rows))
    found.jensen_shannon = measure_jensen_shannon(pairs)
    effect = {
        DriftMethod.PSI: found.psi,
        DriftMethod.KS: found.ks,
        DriftMethod.JENSEN_SHANNON: found.jensen_shannon,
    }[rule.measure]
    # Each sees what the other overlooks; of two the smaller counts double.
    p_value = min(1.0, 2 * min(find_ks_p(found.ks, *add_up(pairs)), find_chi_square_p(pairs)))
    kept = [present[place] for place in usual.places]
    what = _name(now) if now.kind is ColumnKind.NUMERIC else f"{_name(now)}: length"
    say = partial(_say_moved, what, present[0].histogram, [each.histogram for each in kept])
    found.drafts += [
        _judge_shape(what, rule.measure, effect, usual.allowed, p_value, say),
        _compare_range(now, present[0], kept, rule),
    ]


def _judge_shape(  # noqa: PLR0913, PLR0917 - each is a part of a draft
    what: str,
    method: DriftMethod,
    effect: float,
    threshold: float,
    p_value: float,
    say: Callable[[], str],
) -> Draft:
    name = {DriftMethod.PSI: "PSI", DriftMethod.KS: "KS distance"}.get(
        method, "Jensen-Shannon distance"
    )

    def tell() -> str:
        # How it moved takes longer to find out than that it did.
        moved = f"{say()}," if effect > threshold else f"{what}:"
        return f"{moved} {name} {effect:.2g} (threshold {threshold:.2g})"

    return Draft(method, effect, threshold, p_value, tell)


def _say_moved(what: str, now: Histogram, before: Sequence[Histogram]) -> str:
    """Say how the middle moved, or an end if that moved more."""
    shares = list(_QUANTILES.values())
    ours = [value or 0.0 for value in find_quantiles(now, shares)]
    theirs = [value or 0.0 for value in find_quantiles(merge_histograms(before), shares)]
    moves = [abs(one - other) for one, other in zip(ours, theirs, strict=True)]
    place = 0 if 2 * moves[0] >= max(moves) else moves.index(max(moves))
    name = list(_QUANTILES)[place]
    separator = " " if what.endswith(": length") else ": "
    return f"{what}{separator}{name} went from {rough(theirs[place])} to {rough(ours[place])}"


def _compare_range(now: Column, numbers: Numbers, before: Sequence[Numbers], rule: Rule) -> Draft:
    low, high = _find_range(before)
    size, size_before = (
        sum(count_all(each.histogram) for each in some) for some in ([numbers], before)
    )
    outside = _count_outside(numbers, low, high)
    threshold = rule.outside
    if outside > threshold * size and len(before) > 1:
        # What is usual: how many of each were beyond those before it.
        beyond = [
            _count_outside(each, *_find_range(before[:place])) / count_all(each.histogram)
            for place, each in enumerate(before)
            if place
        ]
        threshold = max(threshold, ALLOWANCE * median_high(beyond))
    # That the most extreme of all should be those of one sample.
    p_value = min(1.0, 2 * (size / (size + size_before)) ** outside)
    return Draft(
        DriftMethod.RANGE,
        outside / size,
        threshold,
        p_value,
        lambda: (
            f"{_name(now)}: {percent(outside / size)} lie outside of {rough(low)} to {rough(high)}"
            f", where all were before (threshold {percent(threshold)})"
        ),
    )


def _find_range(several: Iterable[Numbers]) -> Pair:
    found = [each for each in several if each.minimum is not None and each.maximum is not None]
    return (
        min((each.minimum for each in found if each.minimum is not None), default=0.0),
        max((each.maximum for each in found if each.maximum is not None), default=0.0),
    )


def _count_outside(numbers: Numbers, low: float, high: float) -> int:
    """Return how many numbers are surely beyond: those of buckets that are so as a whole."""
    if numbers.minimum is None or numbers.maximum is None:
        return 0
    if low <= numbers.minimum and numbers.maximum <= high:
        return 0
    intervals = list_intervals(numbers.histogram)
    return sum(each.count for each in intervals if each.upper < low or each.lower > high)


def _compare_values(now: Column, several: Sequence[Values], rule: Rule, found: Comparison) -> None:
    counts = count_values(several)
    sizes = [count_together(each) for each in several]
    bins = join_values(counts.values(), sizes)
    method = DriftMethod.PSI if rule.measure is DriftMethod.KS else rule.measure
    limit = THRESHOLDS[method] if method is not rule.measure else rule.limit
    usual = find_usual(bins, MEASURES[method], limit)
    pairs = usual.pair(bins)
    found.psi = measure_psi(pairs)
    found.jensen_shannon = measure_jensen_shannon(pairs)
    effect = found.psi if method is DriftMethod.PSI else found.jensen_shannon
    named = dict(zip(counts, usual.pair(counts.values()), strict=True))
    say = partial(_say_shifted, now, named, add_up(pairs))
    found.drafts.append(
        _judge_shape(_name(now), method, effect, usual.allowed, find_chi_square_p(pairs), say)
    )
    kept = [several[place] for place in usual.places]
    if not any(each.other for each in kept):
        found.drafts.append(_compare_names(now, several[0], kept, rule))


def _say_shifted(now: Column, named: dict[str, Pair], sizes: Pair) -> str:
    shares = {
        name: (pair[0] / max(sizes[0], 1), pair[1] / max(sizes[1], 1))
        for name, pair in named.items()
    }
    if not shares:
        return f"{_name(now)}: values changed"
    name = max(shares, key=lambda each: abs(shares[each][0] - shares[each][1]))
    ours, theirs = map(percent, shares[name])
    return f"{_name(now)}: the share of {_quote(name)} went from {theirs} to {ours}"


def _compare_names(now: Column, values: Values, before: Sequence[Values], rule: Rule) -> Draft:
    known: dict[str, int] = {}
    beyond: list[float] = []
    for each in before:
        if known:
            beyond.append(_count_new(each, known) / max(count_together(each), 1))
        for name, count in each.top:
            known[name] = known.get(name, 0) + count
    size, new = count_together(values), _count_new(values, known)
    threshold = max(rule.new_values, ALLOWANCE * median_high(beyond) if beyond else 0.0)
    # As many were to be expected as there were values seen once: Good, "The Population Frequencies
    # of Species and the Estimation of Population Parameters", 1953.
    once = sum(1 for count in known.values() if count == 1)
    pairs = [(new, once), (size - new, sum(known.values()) - once)]
    names = [name for name, _ in values.top if name not in known]
    shown = ", ".join(map(_quote, names[:_NAMES_SHOWN]))
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return Draft(
        DriftMethod.NEW_VALUES,
        new / size,
        threshold,
        find_chi_square_p(pairs),
        lambda: (
            f"{_name(now)}: {percent(new / size)} are values that were never there: "
            f"{shown}{more} (threshold {percent(threshold)})"
        ),
    )


def _count_new(values: Values, known: dict[str, int]) -> int:
    return values.other + sum(count for name, count in values.top if name not in known)


def _compare_nulls(now: Column, before: Sequence[Column], rule: Rule) -> Draft:
    filled = [column for column in before if column.count + column.nulls]
    ratios = [column.nulls / (column.count + column.nulls) for column in filled]
    usual = median(ratios) if ratios else 0.0
    ratio = now.nulls / (now.count + now.nulls)
    moves = [abs(each - usual) for each in ratios]
    threshold = max(rule.nulls, ALLOWANCE * median_high(moves) if moves else 0.0)
    size = sum(column.count + column.nulls for column in filled)
    pairs = [(now.nulls, usual * size), (now.count, size - usual * size)]
    return Draft(
        DriftMethod.NULLS,
        abs(ratio - usual),
        threshold,
        find_chi_square_p(pairs),
        lambda: (
            f"{_name(now)}: nulls went from {percent(usual)} to {percent(ratio)} "
            f"(threshold {percent(threshold)} more or less)"
        ),
    )


def _name(column: Column) -> str:
    return column.name or "values"


def _quote(name: str, limit: int = 40) -> str:
    return name if len(name) <= limit else f"{name[: limit - 1]}…"
