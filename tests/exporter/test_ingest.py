"""One way in: requests share commits, refusals lose nothing, equal runs are stored once."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from builders import make_run
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from otlp import write_json, write_protobuf, write_request

from mltrace_exporter.decode import Encoding
from mltrace_exporter.errors import MalformedRequest, Unavailable
from mltrace_exporter.ingest import Ingest, Outcome
from mltrace_exporter.model import DeadLetter
from mltrace_exporter.queries.dead_letters import list_dead_letters
from mltrace_exporter.store.arrivals.totals import RUNS_TOTAL, read_totals
from mltrace_exporter.store.dead_letters import KEPT, write_dead_letters
from mltrace_exporter.store.schema import component_run, dead_letter


@pytest.fixture
def ingest(engine: sa.Engine) -> Iterator[Ingest]:
    ingest = Ingest(engine)
    yield ingest
    ingest.close()


def _count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(component_run)
        return connection.scalars(query).one()


def test_what_was_accepted_is_committed(ingest: Ingest, engine: sa.Engine) -> None:
    body = write_protobuf([make_run(), make_run()])
    assert ingest.accept(body, Encoding.PROTOBUF) == Outcome(stored=2, duplicate=0, ignored=0)
    assert _count(engine) == 2


def test_the_same_run_in_another_encoding_is_the_same_run(ingest: Ingest) -> None:
    run = make_run()
    ingest.accept(write_protobuf([run]), Encoding.PROTOBUF)
    again = ingest.accept(write_json([run]), Encoding.JSON)
    assert again == Outcome(stored=0, duplicate=1, ignored=0)


def test_what_cannot_be_read_is_refused_and_nothing_stored(
    ingest: Ingest, engine: sa.Engine
) -> None:
    with pytest.raises(MalformedRequest):
        ingest.accept(b"\xff\xff", Encoding.PROTOBUF)
    assert _count(engine) == 0


def test_equal_runs_through_two_exporters_at_once_are_stored_and_counted_once(
    engine: sa.Engine,
) -> None:
    bodies = [write_protobuf([make_run("etl", number)]) for number in range(40)]
    first, second = Ingest(engine), Ingest(engine)
    with ThreadPoolExecutor(16) as pool:
        outcomes = [
            pool.submit(ingest.accept, body, Encoding.PROTOBUF)
            for body in bodies
            for ingest in (first, second)
        ]
    assert sum(outcome.result().stored for outcome in outcomes) == 40
    first.close()
    second.close()
    assert _count(engine) == 40
    with engine.connect() as connection:
        assert read_totals(connection, RUNS_TOTAL) == {("etl", "succeeded"): 40}


def test_requests_that_wait_together_share_a_commit(engine: sa.Engine) -> None:
    commits: list[sa.Connection] = []
    sa.event.listen(engine, "commit", commits.append)
    ingest = Ingest(engine)
    with engine.begin() as blocking:
        # As long as this lock is held no commit gets through, so the others gather behind one.
        blocking.execute(sa.text("LOCK TABLE component_run IN ACCESS EXCLUSIVE MODE"))
        with ThreadPoolExecutor(20) as pool:
            first = pool.submit(ingest.accept, write_protobuf([make_run()]), Encoding.PROTOBUF)
            others = [
                pool.submit(ingest.accept, write_protobuf([make_run()]), Encoding.PROTOBUF)
                for _ in range(19)
            ]
            blocking.rollback()
            assert first.result().stored == 1
            assert sum(other.result().stored for other in others) == 19
    ingest.close()
    assert len(commits) < 20


def test_over_the_memory_limit_requests_are_refused_for_now(engine: sa.Engine) -> None:
    body = write_protobuf([make_run()])
    ingest = Ingest(engine, pending_limit_bytes=len(body) + 1)
    with engine.begin() as blocking, ThreadPoolExecutor(1) as pool:
        blocking.execute(sa.text("LOCK TABLE component_run IN ACCESS EXCLUSIVE MODE"))
        waiting = pool.submit(ingest.accept, body, Encoding.PROTOBUF)
        _wait_until_blocked(engine)
        with pytest.raises(Unavailable, match="Too many requests"):
            ingest.accept(write_protobuf([make_run()]), Encoding.PROTOBUF)
        blocking.rollback()
        assert waiting.result().stored == 1
    ingest.close()


def test_a_stopped_ingest_has_stored_what_it_accepted_and_takes_no_more(
    engine: sa.Engine,
) -> None:
    ingest = Ingest(engine)
    ingest.accept(write_protobuf([make_run()]), Encoding.PROTOBUF)
    ingest.close()
    with pytest.raises(Unavailable, match="stopping"):
        ingest.accept(write_protobuf([make_run()]), Encoding.PROTOBUF)
    assert _count(engine) == 1


def test_a_span_the_database_refuses_costs_no_other_and_is_kept(
    ingest: Ingest, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.text("ALTER TABLE component_run ADD CHECK (component <> 'forbidden')")
        )
    whole = [make_run("good") for _ in range(9)]
    bodies = [write_protobuf([*whole, make_run("forbidden")]), write_protobuf([make_run()])]
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(ingest.accept, body, Encoding.PROTOBUF) for body in bodies]
    assert [outcome.result() for outcome in outcomes] == [Outcome(9, 0, 0, 1), Outcome(1, 0, 0, 0)]
    assert _count(engine) == 10
    with engine.connect() as connection:
        (letter,) = list_dead_letters(connection).items
    assert "violates check constraint" in letter.reason
    assert letter.component == "forbidden"


def test_a_run_whose_number_is_taken_is_no_dead_letter(ingest: Ingest, engine: sa.Engine) -> None:
    ingest.accept(write_protobuf([make_run() for _ in range(9)]), Encoding.PROTOBUF)
    with engine.begin() as connection:
        # As after a restore of tables without their sequences.
        connection.execute(sa.text("SELECT setval('component_run_id_seq', 1)"))
    body = write_protobuf([make_run()])
    with pytest.raises(Unavailable):
        ingest.accept(body, Encoding.PROTOBUF)
    assert ingest.accept(body, Encoding.PROTOBUF) == Outcome(1, 0, 0, 0)
    assert _count(engine) == 10


def test_what_cannot_be_stored_is_kept_once_with_its_reason_beside_the_rest(
    ingest: Ingest, engine: sa.Engine
) -> None:
    request = write_request([make_run("bad"), make_run()])
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"short"
    for stored in (1, 0):
        outcome = ingest.accept(request.SerializeToString(), Encoding.PROTOBUF)
        assert outcome == Outcome(stored, 1 - stored, 0, 1)
    with engine.connect() as connection:
        (letter,) = list_dead_letters(connection).items
    assert (letter.component, letter.encoding) == ("bad", Encoding.PROTOBUF)
    assert letter.reason == "It has no valid trace id and span id."
    span = Span.FromString(base64.b64decode(letter.content))
    assert span == request.resource_spans[0].scope_spans[0].spans[0]


def test_dead_letters_come_in_pages_and_the_oldest_go(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        letters = [DeadLetter("why", str(n).encode(), "text/plain") for n in range(5)]
        write_dead_letters(connection, letters)
        connection.execute(sa.update(dead_letter).values(id=dead_letter.c.id - KEPT + 3))
        write_dead_letters(connection, [DeadLetter("why", b"new", "text/plain")])
        page = list_dead_letters(connection, limit=2)
        assert len(page.items) == 2
        rest = list_dead_letters(connection, before=page.next_cursor, limit=20)
    assert len(rest.items) < 4
    assert rest.next_cursor is None


def _wait_until_blocked(engine: sa.Engine) -> None:
    query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    ticking = threading.Event()
    for _ in range(500):
        with engine.connect() as connection:
            if connection.scalar(query):
                return
        ticking.wait(0.02)
    pytest.fail("the writer never came to wait for the lock")
