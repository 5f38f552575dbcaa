"""Runs may arrive in any order, twice, and in any batches: the answers are those of the model."""

from collections.abc import Callable
from itertools import pairwise

import sqlalchemy as sa
from builders import make_run, make_span_id, read, wrote
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from naive import NaiveStore

from mltrace_exporter.errors import NotFound
from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.model import Io, Run, SpanId
from mltrace_exporter.queries.lineage import trace_output
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.edges import read_edges
from mltrace_exporter.store.schema import component_run, metadata
from mltrace_exporter.store.totals import read_totals
from mltrace_exporter.store.write import RUNS_TOTAL, write_runs
from mltrace_otel.contract.api import FlagRequest, StaleReason

NAMES = ("a", "b", "c", "d")
COMPONENTS = ("etl", "train", "predict")

_digests = st.sampled_from((None, None, "d:1", "d:2"))
_sizes = st.sampled_from((8, 1000))


@st.composite
def _io(draw: st.DrawFn, direction: Callable[..., Io], producers: list[SpanId]) -> Io:
    digest = draw(_digests)
    producer = draw(st.sampled_from([None, None, None, *producers]))
    sized = {"size_bytes": draw(_sizes)} if digest else {}
    return direction(draw(st.sampled_from(NAMES)), digest, producer=producer, **sized)


@st.composite
def pipelines(draw: st.DrawFn) -> list[Run]:
    """Pipelines with overlaps, ties, rewritten outputs, links, declarations and partitions."""
    ids = [make_span_id(number) for number in range(1, draw(st.integers(1, 9)) + 1)]
    return [draw(_runs(id_, ids)) for id_ in ids]


@st.composite
def _runs(draw: st.DrawFn, id_: SpanId, ids: list[SpanId]) -> Run:
    start = draw(st.integers(0, 8))
    inputs = draw(st.lists(_io(read, ids), max_size=2, unique_by=lambda io: io.name))
    outputs = draw(st.lists(_io(wrote, []), max_size=2, unique_by=lambda io: io.name))
    return make_run(
        draw(st.sampled_from(COMPONENTS)),
        start,
        start + draw(st.integers(0, 4)),
        io=[*inputs, *outputs],
        id=id_,
        upstream=draw(st.sampled_from(((), (), ("etl",)))),
        partition=draw(st.sampled_from((None, None, "p"))),
        infers_dependencies=draw(st.sampled_from((True, True, True, False))),
        staleness_threshold_s=draw(st.sampled_from((None, 150.0))),
        execution=draw(st.sampled_from(("ok", "ok", "error"))),
    )


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Run], list[list[Run]]]:
    """A pipeline, and batches in which its runs arrive: shuffled, some of them twice."""
    runs = draw(pipelines())
    arriving = draw(st.permutations(runs + draw(st.lists(st.sampled_from(runs), max_size=4))))
    cuts = sorted(draw(st.sets(st.integers(1, len(arriving)), max_size=3)))
    ends = [0, *cuts, len(arriving)]
    return runs, [arriving[a:b] for a, b in pairwise(ends) if a < b]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)
@given(delivery=deliveries())
def test_answers_are_those_of_the_model_in_any_order(
    connection: sa.Connection, delivery: tuple[list[Run], list[list[Run]]]
) -> None:
    runs, batches = delivery
    for table in reversed(metadata.sorted_tables):
        connection.execute(sa.delete(table))
    stored = sum(write_runs(connection, batch).stored for batch in batches)
    assert stored == len(runs)
    model, keys = NaiveStore(runs), _read_keys(connection)
    _compare_counters(connection, runs)
    _compare_edges(connection, model, keys)
    _compare_staleness(connection, model, keys)
    _compare_traces(connection, model, keys)
    _compare_review(connection, model, keys)


def _read_keys(connection: sa.Connection) -> dict[int, bytes]:
    rows = connection.execute(sa.select(component_run.c.id, component_run.c.span_id))
    return {run_id: bytes(span_id) for run_id, span_id in rows}


def _compare_counters(connection: sa.Connection, runs: list[Run]) -> None:
    totals = read_totals(connection, RUNS_TOTAL)
    assert sum(totals.values()) == len(runs)
    for component in COMPONENTS:
        failed = sum(run.component == component and run.execution == "error" for run in runs)
        assert totals.get((component, "failed"), 0) == failed


def _compare_edges(connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]) -> None:
    found = {
        (keys[e.consumer], keys[e.producer], e.pointer, e.rule, e.content_changed_outside)
        for e in read_edges(connection, list(keys))
    }
    assert found == {edge for run in model.runs.values() for edge in model.edges_of(run)}


def _compare_staleness(
    connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]
) -> None:
    for run_id, summary in summarise(connection, list(keys)).items():
        found = {(one.kind, keys[one.dependency_id], _count(one)) for one in summary.stale}
        assert found == model.staleness_of(model.runs[keys[run_id]])


def _count(reason: StaleReason) -> int:
    if reason.kind == "old_input":
        return 0
    return int(reason.sentence.split(" has ")[1].split()[0])


def _compare_traces(connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]) -> None:
    for name in NAMES:
        writer = model.last_writer(name)
        try:
            trace = trace_output(connection, name)
        except NotFound:
            assert writer is None
            continue
        assert writer is not None
        depths = {keys[node.run.id]: node.depth for node in trace.nodes}
        assert depths == model.depths_from(writer)


def _compare_review(connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]) -> None:
    flagged = [name for name in NAMES[:2] if model.last_writer(name)]
    if flagged:
        flag_outputs(connection, FlagRequest(flagged))
        candidates = review_flags(connection, limit=100).candidates
        found = {keys[one.run.id]: (one.coverage, one.suspicion) for one in candidates}
        assert found == model.score(flagged)
        assert [one.coverage for one in candidates] == sorted(
            (one.coverage for one in candidates), reverse=True
        )
