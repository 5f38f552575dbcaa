"""How long a scrape of ``/metrics`` takes on a history of many runs, and reading what it shows.

In: a folder for the history, made by `history` at its first use, and the number of runs. Out: one
JSON object a line: how long the database is read and what is written for the series limit, of
10,000 and of as many as there are; and p50, p95 and the slowest scrape in milliseconds, over HTTP,
in each format.

Run with `python benchmarks/scrape.py [FOLDER] [--runs N]` where nothing else runs.
"""

import argparse
import json
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx
import sqlalchemy as sa
import uvicorn
from history import choose_folder, open_history

from mltrace_exporter.main import create_app
from mltrace_exporter.metrics import DURATION_BUCKETS_S
from mltrace_exporter.monitoring.poller import Poller
from mltrace_exporter.tally import Tally
from mltrace_otel.profiles.bounds import choose_bounds, count_between
from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.merging import summarise_numbers
from mltrace_otel.profiles.shapes import Column, ColumnKind
from mltrace_otel.profiles.summaries import summarise

RUNS = 100_000
LIMITS = (10_000, 1_000_000)
SCRAPES = 200
PROFILED_RUNS = 4
FORMATS = {
    "text": "text/plain",
    "OpenMetrics": "application/openmetrics-text;version=1.0.0",
}
LIMIT_MS = 50.0


def main() -> None:
    """Read, scrape, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    folder = options.folder or choose_folder(options.runs)
    with open_history(folder, options.runs) as (engine, _):
        count(engine)
        for limit in LIMITS:
            for figures in measure(engine, limit):
                print(json.dumps(figures), flush=True)


def count(engine: sa.Engine) -> None:
    """Make the totals that inserts would have kept."""
    bounds = ", ".join(map(str, DURATION_BUCKETS_S))
    took = "extract(epoch FROM ended_at - started_at)"
    statements = (
        f"""INSERT INTO metric_total SELECT 'mltrace_component_run_duration_seconds',
            ARRAY[component, coalesce((ARRAY[{bounds}])[bucket]::text, '+Inf')], count(*) FROM (
              SELECT component, 1 + width_bucket({took} - 1e-9, ARRAY[{bounds}]) AS bucket
              FROM component_run WHERE ended_at IS NOT NULL) AS run
            GROUP BY 2 ON CONFLICT DO NOTHING""",  # noqa: S608 - the parts are ours
        f"""INSERT INTO metric_total SELECT 'mltrace_component_run_duration_microseconds',
            ARRAY[component], sum(1000000 * {took})::bigint FROM component_run
            WHERE ended_at IS NOT NULL GROUP BY 2 ON CONFLICT DO NOTHING""",  # noqa: S608
        """INSERT INTO metric_total SELECT 'mltrace_tests_total', ARRAY[component, suite, "case",
            phase, CASE status WHEN 'pass' THEN 'passed' ELSE 'failed' END], count(*)
            FROM test_result JOIN component_run ON id = run_id GROUP BY 2 ON CONFLICT DO NOTHING""",
    )
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
        profile_outputs(connection)


def profile_outputs(connection: sa.Connection) -> None:
    """Give the newest runs of every component an output with two columns of numbers."""
    rng = random.Random(1)  # noqa: S311 - data
    numbers = summarise_numbers([rng.gauss(10, 4) for _ in range(1_000)])
    columns = [
        Column(name, ColumnKind.NUMERIC, 1_000, 0, numbers) for name in ("delay", "distance")
    ]
    bounds = choose_bounds(numbers.histogram)
    parameters = {
        "columns": encode_columns(columns),
        "figures": json.dumps([asdict(summarise(column)) for column in columns]),
        "bounds": list(bounds),
        "counts": count_between(numbers.histogram, bounds),
        "profiled": PROFILED_RUNS,
    }
    statements = (
        """INSERT INTO profile SELECT run.id, 'output', 'flights', NULL, 1000, 1000, 0,
            CAST(:columns AS json), CAST(:figures AS jsonb) FROM component, LATERAL (
              SELECT id FROM component_run WHERE component = component.name
              ORDER BY started_at DESC LIMIT :profiled) AS run ON CONFLICT DO NOTHING""",
        """INSERT INTO output_total SELECT sha256(convert_to(name || col, 'UTF8')), name, 'flights',
            col, :bounds, :counts FROM component, unnest(ARRAY['delay', 'distance']) AS col
            ON CONFLICT DO NOTHING""",
    )
    for statement in statements:
        connection.execute(sa.text(statement), parameters)


def measure(engine: sa.Engine, limit: int) -> Iterator[dict[str, object]]:
    """Yield the figures for a series limit."""
    poller = Poller(engine, series_limit=limit)
    first_s = time_once(poller)
    polls_s = [time_once(poller) for _ in range(5)]
    state = poller.tell()
    series = state.snapshot.series
    yield {
        "limit": limit,
        "series": series,
        "components": len(state.snapshot.owners),
        "first read ms": round(1000 * first_s),
        "read ms": round(1000 * statistics.median(polls_s)),
    }
    with serve(create_app(engine, Tally(engine), poller=poller)) as url:
        for name, accept in FORMATS.items():
            yield {"limit": limit, "series": series, "format": name, **scrape(url, accept)}


def time_once(poller: Poller) -> float:
    """Return how long it takes to read the database."""
    begun = time.perf_counter()
    poller.poll()
    return time.perf_counter() - begun


def scrape(url: str, accept: str) -> dict[str, object]:
    """Return how long scrapes take."""
    times_ms = []
    with httpx.Client(headers={"accept": accept}) as client:
        for _ in range(SCRAPES):
            begun = time.perf_counter()
            page = client.get(f"{url}/metrics").raise_for_status().content
            times_ms.append(1000 * (time.perf_counter() - begun))
    return {
        "bytes": len(page),
        "p50 ms": round(statistics.median(times_ms), 1),
        "p95 ms": round(statistics.quantiles(times_ms, n=20)[-1], 1),
        "slowest ms": round(max(times_ms), 1),
        "limit ms": LIMIT_MS,
    }


@contextmanager
def serve(app: object) -> Iterator[str]:
    """Serve the exporter's web app on a free port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            sys.exit("the server did not start")
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
