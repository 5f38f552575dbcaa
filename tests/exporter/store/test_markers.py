"""Runs that have not ended, and pointers that come beside their run."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from builders import at, make_marker, make_run, make_span_id, names, read, split_run, wrote

from mltrace_exporter.marks import write_note
from mltrace_exporter.model import Batch, Io, Marker, Run
from mltrace_exporter.queries.runs import get_run, summarise
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, read_totals
from mltrace_exporter.store.arrivals.write import write_batch, write_runs
from mltrace_exporter.store.schema import component_run, io_part
from mltrace_otel.contract.api import Execution, NoteRequest, RunSummary


def _tell(connection: sa.Connection, *said: Run | Marker) -> None:
    for one in said:
        batch = Batch(markers=[one]) if isinstance(one, Marker) else Batch([one])
        write_batch(connection, batch)


def _summarise(connection: sa.Connection, run: Run) -> RunSummary:
    row = component_run.c
    run_id = connection.scalars(sa.select(row.id).where(row.span_id == run.id.span_id)).one()
    return summarise(connection, [run_id])[run_id]


def _begun_just_now(io: Iterable[Io] = ()) -> Run:
    return make_run(io=io)._replace(started_at=datetime.now(UTC))


def test_a_run_that_goes_on_is_shown_and_counted_nowhere(connection: sa.Connection) -> None:
    run = _begun_just_now(io=[read("in"), wrote("out")])
    _tell(connection, make_marker(run))
    found = _summarise(connection, run)
    assert (found.execution, found.ended_at, found.duration_s) == (Execution.RUNNING, None, None)
    assert (found.inputs, found.outputs) == (["in"], [])
    assert found.message is None
    assert read_totals(connection, RUNS_TOTAL) == {}


def test_the_run_itself_takes_the_markers_row(connection: sa.Connection) -> None:
    run = _begun_just_now(io=[read("in"), wrote("out")])
    _tell(connection, make_marker(run))
    before = _summarise(connection, run).id
    _tell(connection, run)
    found = _summarise(connection, run)
    assert (found.id, found.execution) == (before, Execution.OK)
    assert (found.inputs, found.outputs) == (["in"], ["out"])
    assert read_totals(connection, RUNS_TOTAL) == {("cleaning", "succeeded"): 1}


def test_what_people_said_of_a_run_that_went_on_stays_with_it(connection: sa.Connection) -> None:
    run = _begun_just_now()
    _tell(connection, make_marker(run))
    ref = str(_summarise(connection, run).id)
    write_note(connection, ref, NoteRequest("hm"))
    _tell(connection, run)
    found = get_run(connection, ref)
    assert found.summary.execution is Execution.OK
    assert [note.text for note in found.note_history] == ["hm"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_of_markers_the_one_of_the_end_counts_then_the_latest(
    connection: sa.Connection, order: tuple[int, ...]
) -> None:
    run = make_run()
    markers = [make_marker(run, 5), make_marker(run, 2, "aborted"), make_marker(run, 3, "aborted")]
    _tell(connection, *(markers[index] for index in order))
    found = _summarise(connection, run)
    assert found.execution is Execution.ABORTED
    assert found.ended_at == at(3)
    assert found.message is not None
    assert "process ended before" in found.message


def test_a_run_of_which_nothing_is_heard_is_shown_as_aborted_until_it_speaks(
    connection: sa.Connection,
) -> None:
    run = make_run()._replace(started_at=datetime.now(UTC) - timedelta(minutes=30))
    _tell(connection, make_marker(run, alive=2))
    silent = _summarise(connection, run)
    assert silent.execution is Execution.ABORTED
    assert silent.message is not None
    assert "Nothing was heard" in silent.message
    assert silent.duration_s == 120
    _tell(connection, make_marker(run, alive=29))
    assert _summarise(connection, run).execution is Execution.RUNNING


def test_a_run_that_has_not_ended_produced_nothing(connection: sa.Connection) -> None:
    going = make_run("etl", 0, 1)
    reader = make_run("train", 9, io=[read("x", producer=going.id)], upstream=("etl",))
    _tell(connection, make_marker(going), reader)
    dependencies = get_run(connection, str(_summarise(connection, reader).id)).dependencies
    assert dependencies == []
    _tell(connection, going)
    dependencies = get_run(connection, str(_summarise(connection, reader).id)).dependencies
    assert [one.component for one in dependencies] == ["etl"]


IO: tuple[Io, ...] = (
    read("a"),
    wrote("b", "d:1", producer=make_span_id(5)),
    wrote("c", labels=('"q"', "\\")),
)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_pointers_beside_a_run_are_added_in_any_order(
    connection: sa.Connection, order: tuple[int, ...]
) -> None:
    whole = make_run(io=IO)
    run, parts = split_run(whole, 1, 2)
    said = [Batch([run]), *(Batch(parts=[part]) for part in parts)]
    for index in (*order, *order):
        write_batch(connection, said[index])
    found = get_run(connection, str(_summarise(connection, run).id))
    assert [io.name for io in found.inputs] == names(whole, "input")
    assert [(io.name, io.digest, tuple(io.labels)) for io in found.outputs] == [
        (io.name, io.digest, io.labels) for io in whole.io[1:]
    ]
    assert read_totals(connection, RUNS_TOTAL) == {("cleaning", "succeeded"): 1}


def test_pointers_wait_for_the_end_of_their_run(connection: sa.Connection) -> None:
    run, parts = split_run(make_run(io=IO), 1)
    write_batch(connection, Batch(parts=parts))
    _tell(connection, make_marker(run))
    assert _summarise(connection, run).outputs == []
    _tell(connection, run)
    assert _summarise(connection, run).outputs == ["b", "c"]
    assert connection.scalars(sa.select(io_part.c.io)).one() is None


def test_two_parts_that_claim_one_place_lose_nothing(connection: sa.Connection) -> None:
    run, parts = split_run(make_run(io=IO), 1, 2)
    write_runs(connection, [run])
    write_batch(connection, Batch(parts=[replace(part, offset=0) for part in parts]))
    assert sorted(_summarise(connection, run).outputs) == ["b", "c"]
