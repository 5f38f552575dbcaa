"""What differs between two runs. In: what is known of either. Out: differences, and sentences."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mltrace_otel.contract.api import (
    Aspect,
    AspectChange,
    Change,
    FactChange,
    Pointer,
    PointerChange,
    TestChange,
    TestOutcome,
)

_DIGITS = re.compile(r"\d+")
_RANKS = {Change.CHANGED: 0, Change.REMOVED: 1, Change.ADDED: 2, Change.UNKNOWN: 3, Change.SAME: 4}
_UNREMARKABLE = {"pass", "skip"}
COMMIT = "commit"
FACTS = {
    COMMIT: Aspect.GIT,
    "uncommitted changes": Aspect.GIT,
    "branch": Aspect.GIT,
    "git tags": Aspect.GIT,
    "repository": Aspect.GIT,
    "function": Aspect.CODE,
    "file": Aspect.CODE,
    "partition": Aspect.PARAMETERS,
    "staleness threshold in seconds": Aspect.PARAMETERS,
}
"""Names of facts, and the aspect that each belongs to."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of a run and compared.

    Attributes:
        code_hash: of the snapshot of its code.
        facts: values of `FACTS`.
        attributes: its parameters and what else it was sent with.
        inputs: what it read.
        tests: what its tests found.
    """

    code_hash: bytes | None
    facts: Mapping[str, object]
    attributes: Mapping[str, object]
    inputs: Sequence[Pointer]
    tests: Sequence[TestOutcome]


@dataclass(frozen=True, slots=True)
class Differences:
    """How two sheets differ, as `Comparison` tells it."""

    code: Change
    facts: list[FactChange]
    attributes: list[FactChange]
    inputs: list[PointerChange]
    tests: list[TestChange]
    aspects: list[AspectChange]


def differ(before: Sheet, after: Sheet, drifts: Sequence[str] | None) -> Differences:
    """Return what differs between two runs.

    Args:
        before: the earlier one.
        after: the later one.
        drifts: what drifted, in sentences; None if they profiled no variable in common.
    """
    code = _judge(before.code_hash, after.code_hash)
    commit = _judge(before.facts[COMMIT], after.facts[COMMIT])
    parameters = _judge(before.attributes or None, after.attributes or None)
    facts = _compare_maps(before.facts, after.facts)
    attributes = _compare_maps(before.attributes, after.attributes)
    inputs = compare_pointers(before.inputs, after.inputs)
    tests = _compare_tests(before.tests, after.tests)
    data = Change.UNKNOWN if drifts is None else Change.SAME
    tested = Change.SAME if before.tests and after.tests else Change.UNKNOWN
    aspects = [
        _shape(Aspect.CODE, code, [*_tell_code(code), *_tell_facts(facts, Aspect.CODE)]),
        _shape(Aspect.GIT, commit, _tell_facts(facts, Aspect.GIT)),
        _shape(
            Aspect.PARAMETERS,
            parameters,
            [*_tell_facts(facts, Aspect.PARAMETERS), *map(_tell_fact, attributes)],
        ),
        _shape(Aspect.INPUTS, _sum_up(inputs), _tell_inputs(inputs)),
        _shape(Aspect.DATA, data, drifts or []),
        _shape(Aspect.TESTS, tested, _tell_tests(tests)),
    ]
    return Differences(code, facts, attributes, inputs, tests, aspects)


def compare_pointers(before: Sequence[Pointer], after: Sequence[Pointer]) -> list[PointerChange]:
    """Pair pointers of one name; of those left, those whose names differ in digits only."""
    olds = {pointer.name: pointer for pointer in before}
    news = {pointer.name: pointer for pointer in after}
    pairs = [(olds[name], news[name]) for name in news if name in olds]
    gone = _group_alike(old for name, old in olds.items() if name not in news)
    come = _group_alike(new for name, new in news.items() if name not in olds)
    changes = [PointerChange(_compare_contents(*pair), *pair) for pair in pairs]
    for shape in dict.fromkeys([*come, *gone]):
        left, right = gone.get(shape, []), come.get(shape, [])
        if len(left) == len(right) == 1:
            changes.append(PointerChange(_compare_contents(left[0], right[0]), left[0], right[0]))
        else:
            changes += [PointerChange(Change.REMOVED, old, None) for old in left]
            changes += [PointerChange(Change.ADDED, None, new) for new in right]
    return sorted(changes, key=lambda change: _RANKS[change.change])


def _group_alike(pointers: Iterable[Pointer]) -> dict[str, list[Pointer]]:
    groups: defaultdict[str, list[Pointer]] = defaultdict(list)
    for pointer in pointers:
        groups[_DIGITS.sub("0", pointer.name)].append(pointer)
    return groups


def _compare_contents(before: Pointer, after: Pointer) -> Change:
    if not before.digest or not after.digest:
        return Change.UNKNOWN
    if before.digest.partition(":")[0] != after.digest.partition(":")[0]:
        return Change.UNKNOWN
    return _judge(before.digest, after.digest)


def _judge(before: object, after: object) -> Change:
    if before is None or after is None:
        return Change.UNKNOWN
    return Change.SAME if before == after else Change.CHANGED


def _compare_maps(before: Mapping[str, object], after: Mapping[str, object]) -> list[FactChange]:
    names = dict.fromkeys([*after, *before])
    return [
        FactChange(name, _write(before.get(name)), _write(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _write(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _compare_tests(before: Sequence[TestOutcome], after: Sequence[TestOutcome]) -> list[TestChange]:
    olds = {(test.suite, test.case, test.phase): test.status for test in before}
    news = {(test.suite, test.case, test.phase): test.status for test in after}
    return [TestChange(*key, olds.get(key), news.get(key)) for key in dict.fromkeys([*news, *olds])]


def _sum_up(inputs: Sequence[PointerChange]) -> Change:
    known = {each.change for each in inputs} == {Change.SAME}
    return Change.SAME if known else Change.UNKNOWN


def _shape(aspect: Aspect, change: Change, sentences: Iterable[str]) -> AspectChange:
    said = list(sentences)
    return AspectChange(aspect, Change.CHANGED if said else change, said)


def _tell_code(code: Change) -> list[str]:
    return ["The code changed."] if code is Change.CHANGED else []


def _tell_facts(facts: Iterable[FactChange], aspect: Aspect) -> Iterator[str]:
    for fact in facts:
        if fact.before and fact.after and FACTS[fact.name] is aspect:
            yield _tell_fact(fact)


def _tell_fact(fact: FactChange) -> str:
    if fact.before is None:
        return f"{fact.name}: {fact.after} (before: not said)."
    if fact.after is None:
        return f"{fact.name}: not said (before: {fact.before})."
    return f"{fact.name}: {fact.after} (before: {fact.before})."


def _tell_inputs(inputs: Iterable[PointerChange]) -> Iterator[str]:
    for each in inputs:
        if each.change is Change.CHANGED and each.after:
            yield f"Input {each.after.name} has another content."
        elif each.change is Change.ADDED and each.after:
            yield f"Input {each.after.name} is new."
        elif each.change is Change.REMOVED and each.before:
            yield f"Input {each.before.name} is gone."


def _tell_tests(tests: Iterable[TestChange]) -> Iterator[str]:
    for test in tests:
        is_remarkable = test.before is not None or test.after not in _UNREMARKABLE
        if test.before != test.after and is_remarkable:
            yield (
                f"Test {test.suite}.{test.case}: {test.after or 'not run'} "
                f"(before: {test.before or 'not run'})."
            )
