from lineages import make_sketch, make_sketched

from mltrace_exporter.panel.graph.diagram import RUNS_SHOWN, Mark, View, make_diagram
from mltrace_exporter.queries.sketches import Sketch
from mltrace_otel.contract import api
from mltrace_otel.contract.api import Execution


def make_days(days: int) -> Sketch:
    """Return the trace of a report on so many days: each day was cleaned from one raw file."""
    runs = [make_sketched(day, "cleaning") for day in range(1, days + 1)]
    report, ingest = days + 1, days + 2
    depths = {report: 0, **dict.fromkeys(range(1, days + 1), 1), ingest: 2}
    edges = [(report, day, f"{day}.csv") for day in range(1, days + 1)]
    edges += [(day, ingest, "raw.csv") for day in range(1, days + 1)]
    return make_sketch(depths, *edges, runs=runs)


def test_each_run_of_a_small_lineage_is_a_box() -> None:
    diagram = make_diagram(make_days(3), is_upstream=True)
    assert diagram.view is View.RUNS
    assert [box.key for box in diagram.boxes] == [f"run-{number}" for number in (4, 1, 2, 3, 5)]
    assert len(diagram.lines) == 6


def test_of_a_large_lineage_the_runs_of_a_component_are_one_box() -> None:
    diagram = make_diagram(make_days(RUNS_SHOWN), is_upstream=True)
    assert diagram.view is View.COMPONENTS
    assert [(box.component, len(box.runs), box.is_group) for box in diagram.boxes] == [
        (f"step-{RUNS_SHOWN + 1}", 1, False),
        ("cleaning", RUNS_SHOWN, True),
        (f"step-{RUNS_SHOWN + 2}", 1, False),
    ]
    [read, wrote] = diagram.lines
    assert len(read.names) == RUNS_SHOWN
    assert wrote.names == ("raw.csv",)
    assert diagram.run_count == RUNS_SHOWN + 2


def test_a_component_is_opened_when_it_is_asked_for() -> None:
    diagram = make_diagram(
        make_days(3), is_upstream=True, view=View.COMPONENTS, opened=["cleaning", "unknown"]
    )
    assert [box.is_group for box in diagram.boxes] == [False] * 5
    assert diagram.opened == ("cleaning", "unknown")


def test_readings_among_runs_of_one_box_are_counted_and_not_drawn() -> None:
    trace = make_sketch(
        {1: 0, 2: 1},
        (1, 2, "state"),
        runs=[make_sketched(1, "loop"), make_sketched(2, "loop")],
    )
    diagram = make_diagram(trace, is_upstream=True, view=View.COMPONENTS)
    [box] = diagram.boxes
    assert (box.inner_lines, diagram.lines) == (1, [])


def test_runs_bear_all_their_marks_and_a_box_counts_them() -> None:
    trace = make_sketch(
        {1: 0, 2: 1, 3: 1},
        runs=[
            make_sketched(1, "a", Execution.ERROR, api.TestVerdict.FAILED, stale=True),
            make_sketched(2, "a", Execution.ABORTED),
            make_sketched(3, "a", Execution.ERROR),
        ],
    )
    [box] = make_diagram(trace, is_upstream=True, flagged={3}, view=View.COMPONENTS).boxes
    assert box.marks == {
        Mark.ERROR: 2,
        Mark.ABORTED: 1,
        Mark.TESTS_FAILED: 1,
        Mark.STALE: 1,
        Mark.FLAGGED: 1,
    }
    assert box.gravest is Mark.ERROR


def test_a_line_says_what_was_read_and_whether_it_was_altered() -> None:
    trace = make_sketch({2: 0, 1: 1}, (2, 1, "a"), (2, 1, "b"), (2, 1, "a"), changed=(2, 1))
    [line] = make_diagram(trace, is_upstream=True).lines
    assert (line.producer, line.consumer, line.names) == ("run-1", "run-2", ("a", "b"))
    assert line.changed_outside
    assert not line.is_declared


def test_a_declared_dependency_has_no_names() -> None:
    [line] = make_diagram(make_sketch({2: 0, 1: 1}, (2, 1, None)), is_upstream=True).lines
    assert line.is_declared


def test_edges_to_runs_outside_a_truncated_trace_are_left_out() -> None:
    assert make_diagram(make_sketch({2: 0}, (2, 1, "a")), is_upstream=True).lines == []
