"""The views that dashboards read, asked about a history of a million runs as their page says.

Of each view of runs: the newest 100 rows, a component's newest 100, a run's, and counts by
component and day over a week.

In: a folder for the history, made by `history` at its first use, and the number of runs. Out: one
JSON object a line for each question: p50, p95 and the slowest in milliseconds, CPU milliseconds of
PostgreSQL for one, how many rows came, and the limit that p95 is to keep. Asked by SQL, as the role
that may only read. The history holds no profiles and no metrics of runs.

Run with `python benchmarks/views.py [FOLDER] [--runs N] [--only WORD]` where nothing else runs.
"""

import argparse
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from history import RUNS, Landmarks, choose_folder, open_history
from rows.pipelines import BEGIN, ROUND

from mltrace_exporter.store.views import READER, SCHEMA

LIMIT_MS = 100.0
COUNT = 20

_OF_RUNS = (
    *("recent_runs", "component_history", "test_outcomes"),
    *("outputs", "output_profiles", "run_metrics"),
)
_DAY = "date_trunc('day', started_at)"
_NEWEST = "ORDER BY started_at DESC LIMIT 100"


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="questions that hold this")
    options = parser.parse_args()
    folder = options.folder or choose_folder(options.runs)
    with open_history(folder, options.runs) as (engine, history), engine.connect() as connection:
        connection.execute(sa.text(f"SET ROLE {READER}"))
        connection.execute(sa.text(f"SET search_path = {SCHEMA}"))
        for name, make in list_questions(history).items():
            if options.only in name:
                print(json.dumps({"view": name, **measure(connection, make)}), flush=True)


def list_questions(history: Landmarks) -> dict[str, Callable[[int], str]]:
    """Return SQL by what is asked; it is about another component, run or output each time."""

    def component(number: int) -> str:
        return f"component = 'pipeline-{number % 10}/layer-{1 + number % 9}/stage-03'"

    def prediction(number: int) -> str:
        return history.prediction(number % 10, 2 + number)

    newest = BEGIN + history.rounds * ROUND
    # As Grafana writes a dashboard's time range.
    day, week = (
        f"WHERE started_at BETWEEN '{newest - timedelta(days=days)}' AND '{newest}'"
        for days in (1, 7)
    )
    asked: dict[str, Callable[[int], str]] = {
        "components": lambda _: "components",
        "recent_runs, a day": lambda _: f"recent_runs {day}",
        "test_outcomes, a day": lambda _: f"test_outcomes {day}",
        "staleness": lambda _: "staleness",
        "staleness, a component": lambda number: f"staleness WHERE {component(number)}",
        "flagged_outputs": lambda _: "flagged_outputs",
        "flagged_outputs, newest": lambda _: "flagged_outputs ORDER BY flagged_at DESC LIMIT 100",
        "flag_coverage": lambda _: "flag_coverage(100)",
        "lineage_nodes": lambda number: f"lineage_nodes('{prediction(number)}')",
        "lineage_edges": lambda number: f"lineage_edges('{prediction(number)}')",
    }

    def ask(view: str) -> dict[str, Callable[[int], str]]:
        counts = f"SELECT component, {_DAY}, count(*) FROM {view} {week} GROUP BY 1, 2"  # noqa: S608
        return {
            f"{view}, newest": lambda _: f"{view} {_NEWEST}",
            f"{view}, a component": lambda number: f"{view} WHERE {component(number)} {_NEWEST}",
            f"{view}, a run": lambda number: f"{view} WHERE run_id = {history.runs // 2 + number}",
            f"{view}, counts of a week": lambda _: f"({counts}) AS counted",
        }

    for view in _OF_RUNS:
        asked |= ask(view)
    return asked


def measure(connection: sa.Connection, make: Callable[[int], str]) -> dict[str, object]:
    """Ask one question often."""
    pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    took_ms, cpu_ms, rows = [], [], 0
    for number in range(COUNT + 2):
        query = sa.text(f"SELECT * FROM {make(number)}")  # noqa: S608 - our own words
        cpu, started = read_cpu_ms(pid), time.perf_counter()
        rows = len(connection.execute(query).all())
        took_ms.append((time.perf_counter() - started) * 1000)
        cpu_ms.append(read_cpu_ms(pid) - cpu)
    took_ms = sorted(took_ms[2:])
    p95 = took_ms[int(COUNT * 0.95)]
    return {
        "p50_ms": round(took_ms[COUNT // 2], 1),
        "p95_ms": round(p95, 1),
        "slowest_ms": round(took_ms[-1], 1),
        "cpu_ms": round(sorted(cpu_ms[2:])[COUNT // 2], 1),
        "limit_ms": LIMIT_MS,
        "kept": p95 <= LIMIT_MS,
        "rows": rows,
    }


def read_cpu_ms(pid: int) -> float:
    """Return how long a process has run on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


if __name__ == "__main__":
    main()
