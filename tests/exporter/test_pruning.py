"""Retention while the server runs."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from builders import make_run, make_span_id, wrote
from services import await_value

from mltrace_exporter.model import Batch, IoPart, SpanId
from mltrace_exporter.pruning import PARTS_WAIT, Pruner, prune_alone
from mltrace_exporter.settings import Retention
from mltrace_exporter.store.arrivals.write import write_batch, write_runs
from mltrace_exporter.store.schema import component_run, io_part
from mltrace_exporter.store.upkeep.inspection import count_rows

ONE_EACH = Retention(runs_per_component=1)


def count_runs(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(component_run)) or 0


def fill(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        write_runs(connection, [make_run("etl", step) for step in range(3)])


def test_old_runs_go_at_the_start_and_again_later(engine: sa.Engine) -> None:
    fill(engine)
    pruner = Pruner(engine, ONE_EACH, interval_s=0.05)
    await_value(lambda: count_runs(engine) == 1, "the first pruning")
    fill(engine)
    await_value(lambda: count_runs(engine) == 1, "the next pruning")
    pruner.close()


def test_it_goes_on_after_all_connections_were_in_use(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    fill(engine)
    small = sa.create_engine(engine.url, pool_size=4, max_overflow=0, pool_timeout=0.05)
    with small.connect(), small.connect(), small.connect(), small.connect():
        pruner = Pruner(small, ONE_EACH, interval_s=0.05)
        await_value(lambda: "were not deleted" in caplog.text, "a failure")
    await_value(lambda: count_runs(engine) == 1, "the next pruning")
    pruner.close()
    small.dispose()


def test_days_count_back_from_now(engine: sa.Engine) -> None:
    began = datetime.now(UTC) - timedelta(days=8)
    old = make_run("etl", started_at=began, ended_at=began)
    new = make_run("etl", started_at=began + timedelta(days=2), ended_at=began + timedelta(days=2))
    with engine.begin() as connection:
        write_runs(connection, [old, new])

    assert prune_alone(engine, Retention(days=9)) == 0
    assert prune_alone(engine, Retention(days=7)) == 1


def test_of_several_programs_one_prunes_at_a_time(engine: sa.Engine) -> None:
    fill(engine)
    others: list[int | None] = []

    prune_alone(engine, ONE_EACH, lambda _: others.append(prune_alone(engine, ONE_EACH)))

    assert others == [None]


def test_runs_arrive_while_it_prunes(engine: sa.Engine) -> None:
    fill(engine)

    def store_another(_: int) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            write_batch(connection, Batch([make_run("other")], parts=[make_part()]))

    assert prune_alone(engine, ONE_EACH, store_another) == 2
    assert count_runs(engine) == 2


def make_part() -> IoPart:
    return IoPart(make_span_id(), make_span_id(), 100, (wrote("a"),))


def test_pointers_whose_run_never_came_go_without_any_limit(engine: sa.Engine) -> None:
    run, old, new = make_run("etl"), make_part(), make_part()
    carrier = SpanId(run.id.trace_id, make_span_id().span_id)
    mine = IoPart(carrier, run.id, 100, (wrote("b"),))
    with engine.begin() as connection:
        write_batch(connection, Batch([run], parts=[mine, old]))
        long_ago = sa.func.now() - PARTS_WAIT - timedelta(minutes=1)
        connection.execute(sa.update(io_part).values(received_at=long_ago))
        write_batch(connection, Batch(parts=[new]))

    pruner = Pruner(engine, Retention())
    await_value(lambda: count_parts(engine) == 2, "the pruning")
    pruner.close()

    with engine.connect() as connection:
        left = {bytes(id_) for id_ in connection.scalars(sa.select(io_part.c.span_id))}
    assert left == {mine.id.span_id, new.id.span_id}
    assert count_runs(engine) == 1


def count_parts(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return count_rows(connection)["io_part"]


def test_a_database_that_is_away_is_told_and_does_not_end_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = sa.create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with caplog.at_level(logging.WARNING):
        pruner = Pruner(gone, ONE_EACH, interval_s=0.05)
        await_value(lambda: len(caplog.records) > 1, "two warnings")
        pruner.close()
    assert "Old runs were not deleted: " in caplog.text
