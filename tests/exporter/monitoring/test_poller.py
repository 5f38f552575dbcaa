"""The store is read now and then; what it said before is shown when it cannot be read."""

import threading

import httpx
import sqlalchemy as sa
from builders import make_run, make_test, wrote
from services import await_value
from serving import serve

from mltrace_exporter import metrics
from mltrace_exporter.main import create_app
from mltrace_exporter.monitoring.exposition import Format
from mltrace_exporter.monitoring.poller import Poller
from mltrace_exporter.store.arrivals.write import write_runs


def store(engine: sa.Engine, *names: str) -> None:
    runs = [make_run(name, tests=(make_test(),), io=[wrote("a")]) for name in names]
    with engine.begin() as connection:
        write_runs(connection, runs)


def test_a_poller_reads_again_and_again_until_it_is_closed(engine: sa.Engine) -> None:
    poller = Poller(engine, interval_s=0.02)
    poller.start()
    try:
        store(engine, "etl")
        await_value(
            lambda: ("etl", "succeeded") in poller.tell().snapshot.values.get(metrics.RUNS, {}),
            "the reading of a new run",
        )
    finally:
        poller.close()
    assert "mltrace-poller" not in {thread.name for thread in threading.enumerate()}


def test_what_is_known_is_answered_although_the_store_is_away(engine: sa.Engine) -> None:
    store(engine, "etl")
    poller = Poller(engine)
    before = poller.tell()
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE metric_total RENAME TO gone"))
    poller.poll()
    after = poller.tell()

    assert after.errors == 1
    assert after.snapshot is before.snapshot
    with serve(create_app(engine, poller=poller)) as url:
        page = httpx.get(f"{url}/metrics").text
        alerts = httpx.get(f"{url}/api/alerts")
    assert "mltrace_exporter_poll_errors_total 1.0" in page
    assert 'mltrace_component_runs_total{component="etl",outcome="succeeded"} 1.0' in page
    assert alerts.status_code == 200


def test_nothing_fires_before_anything_is_known() -> None:
    engine = sa.create_engine("postgresql+psycopg2://nobody@/nothing?host=/nowhere")
    with serve(create_app(engine)) as url:
        answer = httpx.get(f"{url}/api/alerts")

    assert (answer.status_code, answer.json()["title"]) == (503, "Service Unavailable")


def test_exporters_on_one_database_show_the_same(engine: sa.Engine) -> None:
    store(engine, "etl", "train", "etl")
    one, other = Poller(engine), Poller(engine)

    pages = {each.tell().exposition.write(Format.TEXT) for each in (one, other)}
    assert len(pages) == 1


def test_a_format_is_written_once_and_ahead_if_it_was_asked_for(engine: sa.Engine) -> None:
    poller = Poller(engine)
    first = poller.tell().exposition
    assert first.write(Format.OPENMETRICS) is first.write(Format.OPENMETRICS)

    poller.poll()
    ahead = poller.tell().exposition
    store(engine, "etl")
    poller.poll()

    assert first.written == ahead.written == frozenset({Format.OPENMETRICS})
    assert poller.tell().exposition.written == frozenset()


def test_a_scrape_does_not_read_the_store(engine: sa.Engine) -> None:
    store(engine, "etl")
    poller = Poller(engine)
    poller.poll()
    with serve(create_app(engine, poller=poller)) as url:
        store(engine, "later")
        assert "later" not in httpx.get(f"{url}/metrics").text
        poller.poll()
        assert "later" in httpx.get(f"{url}/metrics").text
