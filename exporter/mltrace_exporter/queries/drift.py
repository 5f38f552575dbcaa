"""How what a run held differs from what was there before."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.lineage.skew import join_drifts
from mltrace_exporter.store.lineage.ancestors import read_edges
from mltrace_exporter.store.lineage.skews import read_skews
from mltrace_exporter.store.references import ProfileKey, find_earlier, list_kept, name_key
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.verdicts import Asked, Judged, judge_profiles, tell_drifts
from mltrace_otel.contract.api import DEFAULT_REFERENCE, Drift, VariableDrift
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.verdicts import ProfileDrift

_BUILT_ON = "built-on"
_PREVIOUS = "previous"
_USUAL_RUNS = int(DEFAULT_REFERENCE.partition(":")[2])


@dataclass(frozen=True, slots=True)
class VariableComparison:
    """A variable beside what it is compared with.

    Attributes:
        key: the variable, and the run whose it is.
        component: that run's.
        reference_ids: the runs that it is compared with, the oldest first.
        builder_id: the dependency that was built on them, where that was asked.
        now: what the variable held.
        before: what it held in those runs together.
        drift: what became of it.
    """

    key: ProfileKey
    component: str
    reference_ids: list[int]
    builder_id: int | None
    now: Profile
    before: Profile
    drift: ProfileDrift


def tell_drift(connection: sa.Connection, ref: str, reference: str = DEFAULT_REFERENCE) -> Drift:
    """Return what became of a run's variables.

    Args:
        connection: to the database.
        ref: the run.
        reference: what it is compared with, of the form `REFERENCE_FORM`.

    Raises:
        NotFound: no run, or more than one, answers to ``ref`` or is the reference.
    """
    run_id = resolve_run(connection, ref)
    variables = [_shape(each) for each in compare_run(connection, run_id, reference)]
    return Drift(run_id, reference, any(each.drift.drifted for each in variables), variables)


def compare_run(
    connection: sa.Connection, run_id: int, reference: str = DEFAULT_REFERENCE
) -> list[VariableComparison]:
    """Return a run's variables beside what they are compared with; those with nothing are left out.

    Args:
        connection: to the database.
        run_id: the run.
        reference: as for `tell_drift`.

    Raises:
        NotFound: there is no run that is the reference.
    """
    if reference == _BUILT_ON:
        return [
            _compare(
                name_key(basis.now),
                basis.now.component,
                [each.run_id for each in basis.before],
                judged,
                basis.builder_id,
            )
            for basis, judged in read_skews(connection, read_edges(connection, [run_id]))
        ]
    asked = _find_references(connection, run_id, reference)
    components = {each.run_id: each.component for each in list_kept(connection, [run_id])}
    return [
        _compare(keys[0], components[run_id], [key.run_id for key in keys[1:]], judged)
        for keys, judged in judge_profiles(connection, asked).items()
    ]


def tell_recent_drift(connection: sa.Connection, run_ids: Collection[int]) -> dict[int, list[str]]:
    """Return for runs whose variables differ from the runs before a sentence for each variable."""
    earlier = find_earlier(connection, run_ids, _USUAL_RUNS)
    asked = [(key, *before) for key, before in earlier.items() if before]
    told: dict[int, list[str]] = {}
    for (key, *_), sentences in tell_drifts(connection, asked).items():
        if sentences:
            said = f"{key.variable} drifted: {join_drifts(sentences)}."
            told.setdefault(key.run_id, []).append(said)
    return told


def tell_drift_between(
    connection: sa.Connection, pairs: Collection[tuple[int, int]]
) -> dict[tuple[int, int], list[str]]:
    """Return for runs, each after one that it is compared to, what drifted, in sentences.

    Pairs that profiled no variable in common are left out.
    """
    told: dict[tuple[int, int], list[str]] = {}
    asked = _find_common(connection, pairs)
    for (now, before), sentences in tell_drifts(connection, asked).items():
        said = told.setdefault((before.run_id, now.run_id), [])
        said += [f"{now.variable}, {sentence}." for sentence in sentences]
    return told


def _find_common(connection: sa.Connection, pairs: Iterable[tuple[int, int]]) -> list[Asked]:
    """Return the profiles of the later run of each pair, each with that of the earlier run."""
    kept = [
        name_key(each) for each in list_kept(connection, {id_ for pair in pairs for id_ in pair})
    ]
    known = set(kept)
    return [
        (key, before)
        for earlier, later in pairs
        for key in kept
        if key.run_id == later and (before := key._replace(run_id=earlier)) in known
    ]


def _find_references(connection: sa.Connection, run_id: int, reference: str) -> list[Asked]:
    kind, _, which = reference.partition(":")
    if kind == "run":
        return _find_common(connection, [(resolve_run(connection, which), run_id)])
    limit = 1 if kind == _PREVIOUS else int(which)
    found = find_earlier(connection, [run_id], limit)
    return [(key, *earlier) for key, earlier in found.items() if earlier]


def _compare(
    key: ProfileKey,
    component: str,
    reference_ids: list[int],
    judged: Judged,
    builder_id: int | None = None,
) -> VariableComparison:
    return VariableComparison(key, component, reference_ids, builder_id, *judged)


def _shape(each: VariableComparison) -> VariableDrift:
    return VariableDrift(
        run_id=each.key.run_id,
        component=each.component,
        direction=each.key.direction,
        variable=each.key.variable,
        reference_ids=each.reference_ids,
        builder_id=each.builder_id,
        rows=each.now.rows,
        reference_rows=each.before.rows,
        drift=each.drift,
        sentences=each.drift.sentences,
    )
