"""What differs between two runs?"""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.errors import NotFound
from mltrace_exporter.queries.differences import Sheet, compare_pointers, differ
from mltrace_exporter.queries.drift import tell_drift_between
from mltrace_exporter.queries.runs import STACKTRACE, list_pointers, list_tests, summarise
from mltrace_exporter.store.lineage.ancestors import Edge, read_edges
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.runs import Row, read_neighbours, read_rows
from mltrace_otel.contract.api import AspectChange, Comparison
from mltrace_otel.contract.attributes import DEFAULT_STALENESS_THRESHOLD_S


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
    """Return what differs between two runs, with all that stayed the same beside it.

    Raises:
        NotFound: no run, or more than one, answers to one of them.
    """
    old, new = resolve_run(connection, before), resolve_run(connection, after)
    edges = read_edges(connection, {old, new})
    summaries = summarise(connection, {old, new}, edges)
    sheets = _read_sheets(connection, {old, new}, edges)
    outputs = list_pointers(connection, {old, new}, "output")
    drifts = tell_drift_between(connection, {(old, new)})
    found = differ(sheets[old], sheets[new], drifts.get((old, new)))
    return Comparison(
        before=summaries[old],
        after=summaries[new],
        code=found.code,
        facts=found.facts,
        attributes=found.attributes,
        inputs=found.inputs,
        outputs=compare_pointers(outputs.get(old, []), outputs.get(new, [])),
        tests=found.tests,
        sentences=[sentence for each in found.aspects for sentence in each.sentences],
        aspects=found.aspects,
    )


def list_changes(
    connection: sa.Connection, pairs: Collection[tuple[int, int]]
) -> dict[tuple[int, int], list[AspectChange]]:
    """Return for runs, each after one that it is compared to, in which aspects they differ."""
    if not pairs:
        return {}
    sheets = _read_sheets(connection, {run_id for pair in pairs for run_id in pair})
    drifts = tell_drift_between(connection, pairs)
    return {
        pair: differ(sheets[pair[0]], sheets[pair[1]], drifts.get(pair)).aspects for pair in pairs
    }


def _read_sheets(
    connection: sa.Connection, run_ids: Collection[int], edges: Collection[Edge] = ()
) -> dict[int, Sheet]:
    inputs = list_pointers(connection, run_ids, "input", edges)
    tests = list_tests(connection, run_ids)
    return {
        row.id: Sheet(
            row.code_hash,
            _list_facts(row),
            {name: value for name, value in row.attributes.items() if name != STACKTRACE},
            inputs.get(row.id, []),
            tests.get(row.id, []),
        )
        for row in read_rows(connection, run_ids)
    }


def _list_facts(row: Row) -> dict[str, object]:
    threshold_s = row.staleness_threshold_s
    return {
        "commit": row.git_hash,
        "uncommitted changes": {True: "yes", False: "no", None: None}[row.git_dirty],
        "branch": row.git_ref,
        "git tags": ", ".join(row.git_tags) or None,
        "repository": row.git_repository,
        "function": row.code_function,
        "file": row.code_file,
        "partition": row.partition,
        "staleness threshold in seconds": (
            f"{DEFAULT_STALENESS_THRESHOLD_S if threshold_s is None else threshold_s:g}"
        ),
    }
