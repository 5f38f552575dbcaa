"""Each rule of who produced an input, one by one."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from builders import make_run, read, wrote

from mltrace_exporter.model import Run
from mltrace_exporter.queries.lineage import shape_edges
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.lineage.ancestors import read_ancestors, read_edges, walk_upstream
from mltrace_exporter.store.runs import read_names
from mltrace_exporter.store.schema import component_run

Found = tuple[int, str | None, str, bool]
FindEdges = Callable[..., list[Found]]


@pytest.fixture
def edges(connection: sa.Connection) -> FindEdges:
    """Stores runs and returns the edges of the last, its producers as places in the list."""

    def find(*runs: Run) -> list[Found]:
        write_runs(connection, runs)
        ids = [
            connection.scalars(
                sa.select(component_run.c.id).where(component_run.c.span_id == run.id.span_id)
            ).one()
            for run in runs
        ]
        found = read_edges(connection, ids[-1:])
        names = read_names(connection, {e.pointer for e in found if e.pointer is not None})
        return [
            (ids.index(edge.producer_id), edge.pointer, edge.rule, edge.content_changed_outside)
            for edge in shape_edges(found, names)
        ]

    return find


def test_the_last_run_that_ended_before_the_start_produced_the_name(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv")]),
        make_run("etl", 2, io=[wrote("a.csv")]),
        make_run("etl", 4, 9, io=[wrote("a.csv")]),  # still at work when train starts
        make_run("train", 5, io=[read("a.csv")]),
    ) == [(1, "a.csv", "name", False)]


def test_a_run_that_ends_as_another_starts_may_have_produced_its_input(edges: FindEdges) -> None:
    assert edges(make_run("a", 0, 5, io=[wrote("x")]), make_run("b", 5, io=[read("x")])) == [
        (0, "x", "name", False)
    ]


def test_equal_content_beats_the_name(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv", "d:1")]),
        make_run("etl", 2, io=[wrote("a.csv", "d:2")]),
        make_run("train", 5, io=[read("a.csv", "d:1")]),
    ) == [(0, "a.csv", "digest", False)]


def test_of_equal_contents_the_same_name_is_preferred(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv", "d:1")]),
        make_run("copy", 2, io=[wrote("b.csv", "d:1")]),
        make_run("train", 5, io=[read("a.csv", "d:1")]),
    ) == [(0, "a.csv", "digest", False)]


def test_content_is_found_under_another_name(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("etl.frame", "d:1")]),
        make_run("train", 5, io=[read("train(frame)", "d:1")]),
    ) == [(0, "train(frame)", "digest", False)]


def test_nearly_empty_content_matches_no_other_name(edges: FindEdges) -> None:
    assert (
        edges(
            make_run("etl", 0, io=[wrote("etl.frame", "d:1", size_bytes=8)]),
            make_run("train", 5, io=[read("train(frame)", "d:1", size_bytes=8)]),
        )
        == []
    )


def test_content_that_changed_outside_is_told(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv", "d:1")]),
        make_run("train", 5, io=[read("a.csv", "d:2")]),
    ) == [(0, "a.csv", "name", True)]


def test_digests_of_two_algorithms_tell_of_no_change(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv", "sampled-d:1")]),
        make_run("train", 5, io=[read("a.csv", "d:2")]),
    ) == [(0, "a.csv", "name", False)]


def test_the_span_that_a_link_names_comes_first(edges: FindEdges) -> None:
    first = make_run("etl", 0, io=[wrote("a.csv", "d:1")])
    assert edges(
        first,
        make_run("etl", 2, io=[wrote("a.csv", "d:2")]),
        make_run("train", 5, io=[read("a.csv", "d:2", producer=first.id)]),
    ) == [(0, "a.csv", "link", False)]


def test_a_link_to_a_run_nobody_stored_falls_through_to_the_next_rule(edges: FindEdges) -> None:
    missing = make_run("gone")
    assert edges(
        make_run("etl", 0, io=[wrote("a.csv")]),
        make_run("train", 5, io=[read("a.csv", producer=missing.id)]),
    ) == [(0, "a.csv", "name", False)]


def test_a_run_never_produces_its_own_input(edges: FindEdges) -> None:
    assert edges(make_run("loop", 0, 0, io=[read("a"), wrote("a")])) == []


def test_upstream_declares_the_latest_earlier_run_of_the_component(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0),
        make_run("etl", 1),
        make_run("etl", 9),
        make_run("t", 5, upstream=("etl",)),
    ) == [(1, None, "declared", False)]


def test_a_run_that_infers_nothing_depends_on_what_it_declares_only(edges: FindEdges) -> None:
    assert edges(
        make_run("etl", 0, io=[wrote("a")]),
        make_run("other", 1),
        make_run("t", 5, io=[read("a")], upstream=("other",), infers_dependencies=False),
    ) == [(1, None, "declared", False)]


def test_a_ladder_of_diamonds_is_walked_once(connection: sa.Connection) -> None:
    rungs = [
        make_run(
            side, step, step, io=[*(read(f"{x}{step - 1}") for x in "ab"), wrote(f"{side}{step}")]
        )
        for step in range(1, 40)
        for side in "ab"
    ]
    write_runs(connection, rungs)
    last = connection.scalar(sa.select(sa.func.max(component_run.c.id)))
    assert len(read_ancestors(connection, [last], 1000)) == 2 * 38 + 1


def test_a_cycle_of_instant_runs_ends(connection: sa.Connection) -> None:
    one = make_run("a", 0, 0, io=[read("y"), wrote("x")])
    write_runs(connection, [one, make_run("b", 0, 0, io=[read("x"), wrote("y")])])
    ids = list(connection.scalars(sa.select(component_run.c.id)))
    assert sorted(read_ancestors(connection, ids[:1], 1000)) == sorted(ids)


def test_a_lineage_is_cut_between_runs_not_between_edges(connection: sa.Connection) -> None:
    stages = [
        make_run(
            f"stage-{step}",
            step,
            step,
            io=[make(f"{at}/{number}") for make, at in ways for number in range(600)],
        )
        for step in range(1, 5)
        for ways in [((read, step - 1), (wrote, step))]
    ]
    write_runs(connection, stages)
    *_, first, last = connection.scalars(sa.select(component_run.c.id).order_by(component_run.c.id))

    found = walk_upstream(connection, last, 2)

    assert found.depths == {last: 0, first: 1}
    assert [edge.consumer for edge in found.edges] == 600 * [first] + 600 * [last]
    assert found.truncated
    whole = walk_upstream(connection, last, 4)
    assert list(whole.depths.values()) == [0, 1, 2, 3]
    assert not whole.truncated


def test_of_a_long_chain_the_nearest_runs_are_returned(connection: sa.Connection) -> None:
    write_runs(
        connection,
        [make_run("link", n, n, io=[read(f"{n - 1}"), wrote(f"{n}")]) for n in range(1, 1200)],
    )
    ids = list(connection.scalars(sa.select(component_run.c.id).order_by(component_run.c.id)))

    found = walk_upstream(connection, ids[-1], 100)

    assert list(found.depths) == ids[:-101:-1]
    assert found.truncated
    assert len(walk_upstream(connection, ids[-1], 1199).depths) == 1199
