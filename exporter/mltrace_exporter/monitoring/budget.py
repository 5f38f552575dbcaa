"""Keeps the number of series under a limit: what there is no room for is folded together.

Each group of metrics has a share of the limit; what one group leaves the others may use. Within a
group a thing (a component, a test, an output) is kept with all its series or not at all. Totals are
kept by name, so that the same ones stay while others come and go; states are kept with those first
that somebody should look at, so that no alert is lost to the limit.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from mltrace_exporter.metrics import COMPONENT_INFO, OVERFLOW, Fold, Group, Metric
from mltrace_exporter.monitoring.snapshot import (
    Distribution,
    Labels,
    Snapshot,
    Value,
    Values,
    count_series,
)

SHARES = {
    Group.RUN_TOTALS: 0.1,
    Group.RUN_DURATIONS: 0.1,
    Group.COMPONENTS: 0.25,
    Group.TEST_TOTALS: 0.1,
    Group.TESTS: 0.15,
    Group.OUTPUTS: 0.2,
    Group.OUTPUT_VALUES: 0.1,
}
_BY_TROUBLE = frozenset({Group.COMPONENTS, Group.TESTS, Group.OUTPUTS})

Costs = dict[Labels, int]

_JOIN: Mapping[Fold, Callable[[Iterable[float]], float]] = {
    Fold.SUM: math.fsum,
    Fold.HIGHEST: max,
    Fold.LOWEST: min,
}


def fit_series(snapshot: Snapshot, limit: int) -> Snapshot:
    """Return the snapshot with at most ``limit`` series, among them one that tells each owner."""
    costs = {group: _add_costs(group, snapshot.values) for group in Group}
    room = _share_out({group: sum(each.values()) for group, each in costs.items()}, limit)
    kept = {
        group: _choose(costs[group], room[group], snapshot, by_trouble=group in _BY_TROUBLE)
        for group in Group
    }
    values = {
        metric: _fold(metric, each, kept[metric.group])
        for metric, each in snapshot.values.items()
        if metric.group
    }
    values[COMPONENT_INFO] = _name_owners(values, snapshot.owners)
    folded = snapshot.folded + sum(
        cost
        for group, each in costs.items()
        for subject, cost in each.items()
        if subject not in kept[group]
    )
    return replace(snapshot, values=values, folded=folded)


def _name_owners(values: Values, owners: Mapping[str, str]) -> dict[Labels, Value]:
    """Return the owner of each component that is shown, so that no alert lacks one to be joined."""
    shown = {labels[0] for each in values.values() for labels in each}
    return {(name, owners.get(name, "")): 1.0 for name in shown}


def _add_costs(group: Group, values: Values) -> Costs:
    """Return how many series each thing of a group takes, with the one that tells its owner."""
    costs: defaultdict[Labels, int] = defaultdict(lambda: 1)
    for metric, each in values.items():
        if metric.group is group:
            size = len(metric.subject)
            for labels, value in each.items():
                costs[labels[:size]] += count_series(value)
    return costs


def _share_out(demands: Mapping[Group, int], limit: int) -> dict[Group, int]:
    """Return each group's room; those that need less than their share leave it to the others."""
    room: dict[Group, int] = {}
    left, shares = limit, 1.0
    for group in sorted(demands, key=lambda group: demands[group] / SHARES[group]):
        room[group] = min(demands[group], int(left * SHARES[group] / shares))
        left -= room[group]
        shares -= SHARES[group]
    return room


def _choose(costs: Costs, room: int, snapshot: Snapshot, *, by_trouble: bool) -> frozenset[Labels]:
    """Return the things that are kept; where not all are, there is room for all others as one."""
    if sum(costs.values()) <= room:
        return frozenset(costs)
    left = room - max(costs.values())
    kept = []
    for subject in sorted(
        costs, key=lambda labels: (by_trouble and labels[0] not in snapshot.troubled, labels)
    ):
        left -= costs[subject]
        if left < 0:
            break
        kept.append(subject)
    return frozenset(kept)


def _fold(
    metric: Metric, values: Mapping[Labels, Value], kept: frozenset[Labels]
) -> dict[Labels, Value]:
    size = len(metric.subject)
    shown = {labels: value for labels, value in values.items() if labels[:size] in kept}
    if len(shown) == len(values) or metric.fold is Fold.NOTHING:
        return shown
    others: defaultdict[Labels, list[Value]] = defaultdict(list)
    overflow = (OVERFLOW, *[""] * (size - 1))
    for labels, value in values.items():
        if labels[:size] not in kept:
            others[(*overflow, *labels[size:])].append(value)
    for labels, folded in others.items():
        # A component may have this very name.
        own = [shown[labels]] if labels in shown else []
        shown[labels] = _join(metric.fold, [*own, *folded])
    return shown


def _join(fold: Fold, values: Iterable[Value]) -> Value:
    several = list(values)
    distributions = [value for value in several if isinstance(value, Distribution)]
    if distributions:
        return _add_distributions(distributions)
    numbers = [value for value in several if not isinstance(value, Distribution)]
    return _JOIN[fold](numbers)


def _add_distributions(several: list[Distribution]) -> Distribution:
    """Return the sum of distributions with the same bounds."""
    counts = tuple(map(sum, zip(*(each.counts for each in several), strict=True)))
    sums = [each.sum for each in several]
    known = [value for value in sums if value is not None]
    return Distribution(several[0].bounds, counts, sum(known) if len(known) == len(sums) else None)
