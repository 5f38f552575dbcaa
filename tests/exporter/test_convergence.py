"""Runs may arrive in any order, twice, and in any batches: the answers are those of the model."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import pytest
import sqlalchemy as sa
from builders import (
    make_marker,
    make_profile,
    make_run,
    make_span_id,
    names,
    read,
    split_run,
    wrote,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from naive import NaiveStore
from otlp import write_batch as write_request
from summarising import make_categorical, make_numeric

from mltrace_exporter.decode import Encoding
from mltrace_exporter.errors import NotFound
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.model import Batch, Io, IoPart, Marker, MetricValue, Run, SpanId
from mltrace_exporter.queries.lineage import (
    Reach,
    impact_output,
    impact_run,
    shape_edges,
    trace_output,
)
from mltrace_exporter.queries.review import review_flags
from mltrace_exporter.queries.runs import summarise
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, read_totals
from mltrace_exporter.store.arrivals.write import write_batch
from mltrace_exporter.store.distributions import read_metrics, read_profiles
from mltrace_exporter.store.lineage.ancestors import read_edges
from mltrace_exporter.store.runs import read_names
from mltrace_exporter.store.schema import component_run, metadata
from mltrace_otel.contract.api import FlagRequest, StaleReason

# A story that fails is long, and told anyway.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

NAMES = ("a", "b", "c", "d")
COMPONENTS = ("etl", "train", "predict")
PROFILES = (
    (),
    (make_profile(make_numeric("x", [1.0, None, -3.5]), variable="a"),),
    *(
        (
            make_profile(make_numeric("x", values), variable="a"),
            make_profile(make_numeric("x", values), variable="b", direction="input"),
        )
        for values in ([float(value) for value in range(90)], [60.0 * value for value in range(90)])
    ),
    (
        make_profile(make_categorical("s", ["u", "v"]), variable="a"),
        make_profile(make_numeric("x", [2.0]), variable="b", direction="input", pointer="b"),
    ),
)

_digests = st.sampled_from((None, None, "d:1", "d:2", "sampled-d:1"))
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
        profiles=draw(st.sampled_from(PROFILES)),
        metrics=draw(st.sampled_from(((), (MetricValue("mae", 1.5),)))),
    )


Arrival = Run | Marker | IoPart


@dataclass(frozen=True)
class Story:
    """What happened, and the batches in which it is told."""

    ended: list[Run]
    markers: list[Marker]
    batches: list[Batch]

    @property
    def model(self) -> NaiveStore:
        return NaiveStore(self.ended, self.markers)


@st.composite
def _markers(draw: st.DrawFn, run: Run, least: int) -> list[Marker]:
    """Signs of life, some of them of the end, knowing more or fewer of the inputs."""
    told = st.tuples(st.integers(1, 3), st.sampled_from(("running", "running", "aborted")))
    found = []
    for alive, state in draw(st.lists(told, min_size=least, max_size=least + 1)):
        known = run._replace(io=run.io[: draw(st.integers(0, 2))])
        found.append(make_marker(known, alive, state))
    return found


def _cuts(length: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, length), max_size=2)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Pipelines of which some runs go on or were killed; all told shuffled, some of it twice."""
    ended: list[Run] = []
    markers: list[Marker] = []
    spans: list[Arrival] = []
    for run in draw(pipelines()):
        has_ended = draw(st.sampled_from((True, True, True, False)))
        markers += draw(_markers(run, 0 if has_ended else 1))
        own, parts = split_run(run, *sorted(draw(_cuts(len(run.io)))))
        spans += parts
        if has_ended:
            ended.append(run)
            spans.append(own)
    spans += markers
    arriving = draw(st.permutations(spans + draw(st.lists(st.sampled_from(spans), max_size=4))))
    cuts = sorted(draw(st.sets(st.integers(1, len(arriving)), max_size=3)))
    ends = [0, *cuts, len(arriving)]
    return Story(ended, markers, [_gather(arriving[a:b]) for a, b in pairwise(ends) if a < b])


def _gather(spans: Sequence[Arrival]) -> Batch:
    return Batch(
        [span for span in spans if isinstance(span, Run)],
        [span for span in spans if isinstance(span, Marker)],
        [span for span in spans if isinstance(span, IoPart)],
    )


def _empty(connection: sa.Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(sa.delete(table))


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)
@given(story=stories())
def test_answers_are_those_of_the_model_in_any_order(
    connection: sa.Connection, story: Story
) -> None:
    _empty(connection)
    stored = sum(write_batch(connection, batch).stored for batch in story.batches)
    assert stored == len(story.ended)
    _compare(connection, story)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)
@given(story=stories(), ways=st.lists(st.booleans(), min_size=4, max_size=4))
def test_answers_are_those_of_the_model_through_two_exporters_at_once(
    engine: sa.Engine, story: Story, ways: list[bool]
) -> None:
    with engine.begin() as connection:
        _empty(connection)
    exporters = (Ingest(engine), Ingest(engine))
    with ThreadPoolExecutor(len(story.batches)) as pool:
        outcomes = [
            pool.submit(exporters[way].accept, write_request(batch), Encoding.PROTOBUF)
            for way, batch in zip(ways, story.batches, strict=False)
        ]
        assert sum(outcome.result().stored for outcome in outcomes) == len(story.ended)
    for exporter in exporters:
        exporter.close()
    with engine.connect() as connection:
        _compare(connection, story)


def _compare(connection: sa.Connection, story: Story) -> None:
    model, keys = story.model, _read_keys(connection)
    assert set(keys.values()) == model.runs.keys()
    _compare_counters(connection, story.ended)
    _compare_runs(connection, model, keys)
    _compare_distributions(connection, model, keys)
    _compare_edges(connection, model, keys)
    _compare_staleness(connection, model, keys)
    _compare_traces(connection, model, keys)
    _compare_impacts(connection, model, keys)
    _compare_review(connection, model, keys)


def _compare_runs(connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]) -> None:
    row = component_run.c
    for run_id, execution, ended_at in connection.execute(
        sa.select(row.id, row.execution, row.ended_at)
    ):
        run = model.runs[keys[run_id]]
        assert execution == run.execution
        assert ended_at == (None if execution == "running" else run.ended_at)
    for run_id, summary in summarise(connection, list(keys)).items():
        run = model.runs[keys[run_id]]
        assert (summary.inputs, summary.outputs) == (names(run, "input"), names(run, "output"))


def _compare_distributions(
    connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]
) -> None:
    profiles = {(row.run_id, row.variable): row.columns for row in read_profiles(connection, keys)}
    assert profiles == {
        (run_id, each.variable): each.columns
        for run_id, key in keys.items()
        for each in model.runs[key].profiles
    }
    metrics = {(row.run_id, row.name): row.value for row in read_metrics(connection, keys)}
    assert metrics == {
        (run_id, each.name): each.value
        for run_id, key in keys.items()
        for each in model.runs[key].metrics
    }


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
    edges = read_edges(connection, list(keys))
    names = read_names(connection, {e.pointer for e in edges if e.pointer is not None})
    found = {
        (keys[e.consumer_id], keys[e.producer_id], e.pointer, e.rule, e.content_changed_outside)
        for e in shape_edges(edges, names)
    }
    assert found == {edge for run in model.runs.values() for edge in model.edges_of(run)}


def _compare_staleness(
    connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]
) -> None:
    for run_id, summary in summarise(connection, list(keys)).items():
        found = {(one.kind, keys[one.dependency_id], _count(one)) for one in summary.stale}
        assert found == model.staleness_of(model.runs[keys[run_id]])


def _count(reason: StaleReason) -> int:
    if reason.kind != "fresher_run":
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


def _compare_impacts(connection: sa.Connection, model: NaiveStore, keys: dict[int, bytes]) -> None:
    for run_id, key in keys.items():
        depths = model.impact_from(model.runs[key])
        for limit in (None, 1):
            impact = impact_run(connection, str(run_id), Reach(limit))
            assert {keys[node.run.id]: node.depth for node in impact.nodes} == {
                other: depth for other, depth in depths.items() if depth <= (limit or depth)
            }
    for name in NAMES:
        writer = model.last_writer(name)
        if writer is not None:
            impact = impact_output(connection, name)
            depths = {keys[node.run.id]: node.depth for node in impact.nodes}
            assert depths == model.impact_from(writer, name)


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
