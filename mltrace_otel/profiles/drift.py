"""Has a variable drifted? In: its profile and earlier ones. Out: a verdict, in numbers and words.

A deviation is drift if it is large and not by chance. Large, because in a million rows the smallest
shift is certain; not by chance, because among fifty rows large ones happen; and of many columns
only so many are called drifted that few of them are so by chance. `benchmarks/drift.py` measures
how often that is right.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from mltrace_otel.profiles.comparison import Comparison, compare_column
from mltrace_otel.profiles.distances import limit_false_discoveries, survive_chi_square
from mltrace_otel.profiles.rules import DEFAULT_RULE, Draft, Rule
from mltrace_otel.profiles.shapes import Column, Profile
from mltrace_otel.profiles.verdicts import ColumnDrift, Deviation, DriftMethod, ProfileDrift

_NAMES_SHOWN = 5


def judge_profile(
    now: Profile, before: Sequence[Profile], rule: Rule = DEFAULT_RULE
) -> ProfileDrift:
    """Return what became of a variable.

    Args:
        now: what it holds.
        before: what it held in earlier runs, one or more, the oldest first.
        rule: what counts as drift.
    """
    whole = [*_compare_rows(now, before, rule), *_compare_columns(now, before)]
    compared = [
        compare_column(column, _find_earlier(column, before), rule) for column in now.columns
    ]
    drafts = [*whole, *(draft for each in compared for draft in each.drafts)]
    deviations = dict(zip(drafts, _decide(drafts, rule), strict=True))
    return ProfileDrift(
        any(deviation.drifted for deviation in deviations.values()),
        [deviations[draft] for draft in whole],
        [
            _shape_column(column, each, [deviations[draft] for draft in each.drafts])
            for column, each in zip(now.columns, compared, strict=True)
        ],
    )


def _find_earlier(column: Column, before: Sequence[Profile]) -> list[Column]:
    """Return the columns of that name and kind; one without values has no kind."""
    return [
        each
        for profile in before
        for each in profile.columns
        if each.name == column.name and (each.kind is column.kind or not each.count * column.count)
    ]


def _compare_rows(now: Profile, before: Sequence[Profile], rule: Rule) -> Iterator[Draft]:
    if rule.rows is None or not before:
        return
    counts = [profile.rows for profile in before]
    usual = median(counts)
    # One more than there are, so that no rows at all can be compared.
    threshold = max(
        rule.rows, *((max(each, usual) + 1) / (min(each, usual) + 1) for each in counts)
    )
    effect = (max(now.rows, usual) + 1) / (min(now.rows, usual) + 1)
    chance = (now.rows - usual) ** 2 / (now.rows + usual) if now.rows + usual else 0.0
    yield Draft(
        DriftMethod.ROWS,
        effect,
        threshold,
        survive_chi_square(chance, 1),
        lambda: (
            f"rows went from {usual:,.0f} to {now.rows:,} (threshold: a factor of {threshold:.2g})"
        ),
    )


def _compare_columns(now: Profile, before: Sequence[Profile]) -> Iterator[Draft]:
    if not before or any(each.columns_left_out for each in (now, *before)):
        return
    ours = {column.name: column for column in now.columns}
    theirs = [{column.name: column for column in profile.columns} for profile in before]
    gone = [
        name for name in theirs[-1] if name not in ours and all(name in each for each in theirs)
    ]
    new = [name for name in ours if not any(name in each for each in theirs)]
    for verb, names in (("gone", gone), ("new", new)):
        if names:
            yield _say_of(f"{_list(names)} {'is' if len(names) == 1 else 'are'} {verb}")
    for name, column in ours.items():
        kinds = {each[name].kind for each in theirs if name in each and each[name].count}
        if column.count and kinds and column.kind not in kinds:
            yield _say_of(f"{name} is {column.kind}, was {' or '.join(sorted(kinds))}")


def _say_of(sentence: str) -> Draft:
    return Draft(DriftMethod.COLUMNS, 1.0, 0.0, None, lambda: sentence)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    plural = "column" if len(names) == 1 else "columns"
    return f"{plural} {', '.join(names[:_NAMES_SHOWN])}{more}"


def _decide(drafts: Sequence[Draft], rule: Rule) -> list[Deviation]:
    by_chance = [draft for draft in drafts if draft.p_value is not None]
    counts = limit_false_discoveries([draft.p_value or 0.0 for draft in by_chance], rule.rate)
    certain = dict(zip(by_chance, counts, strict=True))
    return [
        Deviation(
            draft.method,
            draft.effect,
            draft.threshold,
            draft.p_value,
            certain.get(draft, True) and draft.effect > draft.threshold,
            draft.say(),
        )
        for draft in drafts
    ]


def _shape_column(column: Column, found: Comparison, deviations: list[Deviation]) -> ColumnDrift:
    return ColumnDrift(
        column.name,
        column.kind,
        any(deviation.drifted for deviation in deviations),
        deviations,
        found.psi,
        found.ks,
        found.jensen_shannon,
    )
