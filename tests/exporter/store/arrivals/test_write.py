"""Writing is idempotent, and the newest words win whatever order runs arrive in."""

import sqlalchemy as sa
from builders import at, make_run, make_span_id, make_test, read, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrace_exporter.model import Words
from mltrace_exporter.store import schema
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, TESTS_TOTAL, read_totals
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.bulk import copy_rows


def _count(connection: sa.Connection, table: sa.Table) -> int | None:
    return connection.scalar(sa.select(sa.func.count()).select_from(table))


def test_a_run_that_is_stored_twice_changes_nothing(connection: sa.Connection) -> None:
    run = make_run(io=[read("a"), wrote("b")], tests=(make_test(),), code="def f(): ...")
    first, second = write_runs(connection, [run, run]), write_runs(connection, [run])
    assert (first.stored, first.duplicate) == (1, 1)
    assert (second.stored, second.duplicate) == (0, 1)
    for table, rows in ((schema.component_run, 1), (schema.run_io, 2), (schema.test_result, 1)):
        assert _count(connection, table) == rows
    assert read_totals(connection, RUNS_TOTAL) == {("cleaning", "succeeded"): 1}


def test_equal_span_ids_in_different_traces_are_different_runs(connection: sa.Connection) -> None:
    one, other = make_span_id(1), make_span_id(2)
    runs = [make_run(id=type(one)(trace, one.span_id)) for trace in (one.trace_id, other.trace_id)]
    assert write_runs(connection, runs).stored == 2


def test_the_newest_runs_words_win_in_any_order_of_arrival(connection: sa.Connection) -> None:
    old = make_run(start=1, words=Words("anna", "first", ("a",)))
    new = make_run(start=2, words=Words("bert", "second", ("b", "c")))
    silent = make_run(start=3, words=None)
    for run in (new, silent, old):
        write_runs(connection, [run])
    row = connection.execute(sa.select(schema.component)).one()
    assert (row.owner, row.description, row.tags) == ("bert", "second", ["b", "c"])


def test_counters_count_runs_and_tests_by_outcome(connection: sa.Connection) -> None:
    tests = (make_test("testA"), make_test("testB", "fail"))
    write_runs(connection, [make_run(tests=tests), make_run(tests=tests, execution="error")])
    assert read_totals(connection, RUNS_TOTAL) == {
        ("cleaning", "succeeded"): 1,
        ("cleaning", "failed"): 1,
    }
    assert read_totals(connection, TESTS_TOTAL) == {
        ("cleaning", "RangeTest", "testA", "after", "passed"): 2,
        ("cleaning", "RangeTest", "testB", "after", "failed"): 2,
    }


def test_code_is_stored_once(connection: sa.Connection) -> None:
    write_runs(connection, [make_run(code="x = 1"), make_run(code="x = 1"), make_run(code="y")])
    assert _count(connection, schema.code) == 2


_texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(name=_texts, tags=st.lists(_texts).map(tuple), number=st.floats(), json=_texts)
def test_copy_carries_every_text_unharmed(
    connection: sa.Connection, name: str, tags: tuple[str, ...], number: float, json: str
) -> None:
    connection.execute(sa.delete(schema.component_run))
    row = {
        "id": 1,
        "trace_id": b"\0\\n",
        "span_id": b"\t",
        "component": name,
        "message": None,
        "started_at": at(0),
        "ended_at": at(1),
        "execution": "ok",
        "git_tags": tags,
        "git_dirty": True,
        "staleness_threshold_s": number,
        "attributes": {json: [json]},
    }
    copy_rows(connection, schema.component_run, list(row), [list(row.values())])
    stored = connection.execute(sa.select(*(schema.component_run.c[key] for key in row))).one()
    assert stored.component == name
    assert stored.git_tags == list(tags)
    assert stored.attributes == {json: [json]}
    assert stored.message is None
    assert bytes(stored.trace_id) == b"\0\\n"
    assert stored.started_at == at(0)
    assert repr(stored.staleness_threshold_s) == repr(number)
