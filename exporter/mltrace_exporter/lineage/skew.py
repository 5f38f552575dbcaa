"""Did a run work on other data than what it depends on was built on?

A run that reads features and a model depends on the run that made the features, and on the training
that made the model; the training was built on features, too. If those held something else, the
model is asked about data that it has never seen.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

BASIS_LIMIT = 10
"""With so many runs that a dependency was built on, at most, is a run's data compared."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A profile that is kept, without what it says.

    Attributes:
        run_id: the run.
        component: the run's.
        order: grows with the run's start, and tells runs that began together apart.
        direction: ``input`` or ``output``.
        variable: name of the variable.
    """

    run_id: int
    component: str
    order: tuple[object, ...]
    direction: str
    variable: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What is to be compared.

    Attributes:
        consumer_id: the run in question.
        builder_id: a run that it depends on.
        now: what the consumer worked on.
        before: what the builder was built on, the oldest first.
    """

    consumer_id: int
    builder_id: int
    now: Kept
    before: tuple[Kept, ...]


def find_bases(
    consumers: Collection[int], producers: Mapping[int, Collection[int]], kept: Iterable[Kept]
) -> Iterator[Basis]:
    """Yield what is to be compared for each consumer and each run that it depends on.

    The consumer's own inputs are held against inputs of the builder of the same name; outputs of
    runs that it depends on against outputs of runs of the same component that the builder depends
    on.

    Args:
        consumers: the runs in question.
        producers: by their consumer, whom these depend on, and whom those depend on.
        kept: profiles of all these runs.
    """
    by_run: defaultdict[int, list[Kept]] = defaultdict(list)
    for each in kept:
        by_run[each.run_id].append(each)
    for consumer in consumers:
        near = sorted(producers[consumer])
        for builder in near:
            used = _list_used(by_run, consumer, [each for each in near if each != builder])
            built_on = _list_used(by_run, builder, sorted(producers.get(builder, ())))
            for now in used:
                same = [each for each in built_on if _matches(each, now)]
                if same and {each.run_id for each in same} != {now.run_id}:
                    newest = sorted(same, key=lambda each: each.order)[-BASIS_LIMIT:]
                    yield Basis(consumer, builder, now, tuple(newest))


def _list_used(
    by_run: Mapping[int, list[Kept]], run: int, producers: Collection[int]
) -> list[Kept]:
    inputs = [each for each in by_run.get(run, ()) if each.direction == "input"]
    outputs = [
        each
        for producer in producers
        for each in by_run.get(producer, ())
        if each.direction == "output"
    ]
    return inputs + outputs


def _matches(one: Kept, other: Kept) -> bool:
    """Tell whether two are of the same thing: inputs of a name, or outputs of a component's."""
    same = one.direction == other.direction and one.variable == other.variable
    return same and (one.direction == "input" or one.component == other.component)


def explain_skew(now: Kept, drifts: Sequence[str], builder: str) -> str:
    """Return in a sentence how what a run worked on had drifted.

    Args:
        now: what it worked on.
        drifts: how it differs from what the builder was built on, the worst first.
        builder: the run that was, as people call it.
    """
    where = now.variable
    if now.direction == "output":
        where = f"{now.variable} of {now.component} (ID {now.run_id})"
    return f"{builder} was built on other data than {where}: {join_drifts(drifts)}."


def join_drifts(drifts: Sequence[str]) -> str:
    """Return the first of some sentences, and how many more there are."""
    worst, *others = drifts
    return f"{worst}, and {len(others)} more" if others else worst
