"""What differs between two runs?"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.queries.runs import get_run
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.runs import read_neighbours
from mltrace_otel.contract.api import (
    Change,
    Comparison,
    FactChange,
    Pointer,
    PointerChange,
    Run,
    TestChange,
    TestOutcome,
)

_DIGITS = re.compile(r"\d+")
_RANKS = {Change.CHANGED: 0, Change.REMOVED: 1, Change.ADDED: 2, Change.UNKNOWN: 3, Change.SAME: 4}


def compare_to_before(connection: sa.Connection, ref: str) -> Comparison:
    """Return what differs between a run and its component's run before.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``; or it is the first.
    """
    run_id = resolve_run(connection, ref)
    before, _ = read_neighbours(connection, run_id)
    if before is None:
        raise NotFound(f"Run {run_id} is the first of its component: name a run to compare it to.")
    return compare_runs(connection, str(before), str(run_id))


def compare_runs(connection: sa.Connection, before: str, after: str) -> Comparison:
    """Return what differs between two runs.

    Raises:
        NotFound: no run, or more than one, answers to one of them.
    """
    return compare(get_run(connection, before), get_run(connection, after))


def compare(before: Run, after: Run) -> Comparison:
    """Return what differs between two runs, with all that stayed the same beside it."""
    code = _compare_texts(before.code, after.code)
    facts = _compare_maps(_list_facts(before), _list_facts(after))
    attributes = _compare_maps(before.attributes, after.attributes)
    inputs = _compare_pointers(before.inputs, after.inputs)
    tests = _compare_tests(before.test_outcomes, after.test_outcomes)
    return Comparison(
        before=before.summary,
        after=after.summary,
        code=code,
        facts=facts,
        attributes=attributes,
        inputs=inputs,
        outputs=_compare_pointers(before.outputs, after.outputs),
        tests=tests,
        sentences=[
            *(["The code changed."] if code is Change.CHANGED else []),
            *(_tell_fact(fact) for fact in facts if fact.before and fact.after),
            *(_tell_fact(fact) for fact in attributes),
            *_tell_inputs(inputs),
            *_tell_tests(tests),
        ],
    )


def _list_facts(run: Run) -> dict[str, object]:
    summary = run.summary
    return {
        "commit": summary.git_hash,
        "uncommitted changes": {True: "yes", False: "no", None: None}[run.git_dirty],
        "branch": run.git_ref,
        "git tags": ", ".join(summary.git_tags) or None,
        "repository": run.git_repository,
        "function": run.code_function,
        "file": run.code_file,
        "partition": summary.partition,
        "staleness threshold in seconds": f"{run.staleness_threshold_s:g}",
    }


def _compare_texts(before: str | None, after: str | None) -> Change:
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


def _compare_pointers(before: Sequence[Pointer], after: Sequence[Pointer]) -> list[PointerChange]:
    """Pair pointers of one name; of those left, those whose names differ in digits only."""
    olds = {pointer.name: pointer for pointer in before}
    news = {pointer.name: pointer for pointer in after}
    pairs = [(olds[name], news[name]) for name in news if name in olds]
    gone = _group_alike(old for name, old in olds.items() if name not in news)
    come = _group_alike(new for name, new in news.items() if name not in olds)
    changes = [PointerChange(_judge(*pair), *pair) for pair in pairs]
    for shape in dict.fromkeys([*come, *gone]):
        left, right = gone.get(shape, []), come.get(shape, [])
        if len(left) == len(right) == 1:
            changes.append(PointerChange(_judge(left[0], right[0]), left[0], right[0]))
        else:
            changes += [PointerChange(Change.REMOVED, old, None) for old in left]
            changes += [PointerChange(Change.ADDED, None, new) for new in right]
    return sorted(changes, key=lambda change: _RANKS[change.change])


def _group_alike(pointers: Iterable[Pointer]) -> dict[str, list[Pointer]]:
    groups: defaultdict[str, list[Pointer]] = defaultdict(list)
    for pointer in pointers:
        groups[_DIGITS.sub("0", pointer.name)].append(pointer)
    return groups


def _judge(before: Pointer, after: Pointer) -> Change:
    if not before.digest or not after.digest:
        return Change.UNKNOWN
    if before.digest.partition(":")[0] != after.digest.partition(":")[0]:
        return Change.UNKNOWN
    return _compare_texts(before.digest, after.digest)


def _compare_tests(before: Sequence[TestOutcome], after: Sequence[TestOutcome]) -> list[TestChange]:
    olds = {(test.suite, test.case, test.phase): test.status for test in before}
    news = {(test.suite, test.case, test.phase): test.status for test in after}
    return [TestChange(*key, olds.get(key), news.get(key)) for key in dict.fromkeys([*news, *olds])]


def _tell_fact(fact: FactChange) -> str:
    if fact.before is None:
        return f"{fact.name}: {fact.after} (before: not said)."
    if fact.after is None:
        return f"{fact.name}: not said (before: {fact.before})."
    return f"{fact.name}: {fact.after} (before: {fact.before})."


def _tell_inputs(inputs: Sequence[PointerChange]) -> list[str]:
    told = []
    for each in inputs:
        if each.change is Change.CHANGED and each.after:
            told.append(f"Input {each.after.name} has another content.")
        elif each.change is Change.ADDED and each.after:
            told.append(f"Input {each.after.name} is new.")
        elif each.change is Change.REMOVED and each.before:
            told.append(f"Input {each.before.name} is gone.")
    return told


def _tell_tests(tests: Sequence[TestChange]) -> list[str]:
    return [
        f"Test {test.suite}.{test.case}: {test.after or 'not run'} (before: {test.before})."
        for test in tests
        if test.before is not None and test.before != test.after
    ]
