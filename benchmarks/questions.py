"""Questions about a history of a million runs, timed at the HTTP API of a server of its own.

In: a folder for the history, made by `history` at its first use, and the number of runs. Out: one
JSON object a line for each question: p50, p95 and the slowest in milliseconds, CPU milliseconds of
the server and PostgreSQL for one, which say the same on a busy machine, how much the answer holds,
and the limit that p95 is to keep. Each question is asked about many different runs, after as many
that are not counted: a server that was just started waits for the disk. Nothing is kept between two
answers but PostgreSQL's own cache.

With `--explain` it prints instead what PostgreSQL does for the main ones, as EXPLAIN ANALYZE tells.

Run with `python benchmarks/questions.py [FOLDER] [--runs N] [--only WORD]` where nothing else runs.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import sqlalchemy as sa
from history import RUNS, Landmarks, choose_folder, open_history
from ingest import read_cpu_s
from rows.pipelines import CHAIN, LAYERS, PIPELINES, ROUND_RUNS, WIDTH

from mltrace_exporter.queries import lineage, review, runs
from mltrace_exporter.store.selection import Selection

LINEAGE_ROUNDS = 30
PAGES = {
    "recent": "/",
    "recent failures": "/?status=tests-failed",
    "history": "/component?name=pipeline-3/layer-5/stage-03",
    "components": "/components",
    "tests": "/tests",
    "flags": "/flags",
    "review": "/review",
    "search": "/search?q=data",
    "status": "/status",
    "completions": "/completions?line=history+pipe",
}
"""Pages of the panel; what a browser shows first is all that they are."""


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of request.

    Attributes:
        name: for people.
        make: returns the address of one, about something that chance chose.
        limit_ms: what 95 % of the answers are to keep.
        count: how many are asked.
        measure: returns how much an answer holds.
    """

    name: str
    make: Callable[[random.Random], str]
    limit_ms: float = 50.0
    count: int = 100
    measure: Callable[[Any], int] = len


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="questions whose names hold this")
    parser.add_argument("--explain", action="store_true")
    options = parser.parse_args()
    folder = options.folder or choose_folder(options.runs)
    with open_history(folder, options.runs) as (engine, landmarks):
        if options.explain:
            explain(engine, landmarks, options.only)
            return
        address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with run_server(address) as base, httpx.Client(base_url=base, timeout=60) as client:
            for question in list_questions(landmarks):
                if options.only in question.name:
                    print(json.dumps(measure(client, question)), flush=True)


def explain(engine: sa.Engine, history: Landmarks, only: str) -> None:
    """Ask the main questions in this process and print the plan of each statement."""
    prediction = history.prediction(3, 2)
    questions: dict[str, Callable[[sa.Connection], object]] = {
        "recent": lambda connection: runs.list_runs(connection, limit=20),
        "history": lambda connection: runs.list_runs(
            connection, Selection(component="pipeline-3/layer-5/stage-03"), limit=20
        ),
        "trace": lambda connection: lineage.trace_output(connection, prediction),
        "impact": lambda connection: lineage.impact_output(connection, history.table(3, 20, 1, 3)),
        "review": review.review_flags,
    }
    plans: list[str] = []

    def plan(  # noqa: PLR0913, PLR0917 - what SQLAlchemy calls it with
        connection: sa.Connection,
        cursor: Any,  # noqa: ANN401
        statement: str,
        parameters: Any,  # noqa: ANN401
        context: object,
        executemany: object,
    ) -> None:
        del connection, context, executemany
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {statement}", parameters)
        plans.append("\n".join(row[0] for row in cursor.fetchall()))

    for name, ask in questions.items():
        if only not in name:
            continue
        with engine.connect() as connection:
            ask(connection)
            sa.event.listen(engine, "before_cursor_execute", plan)
            ask(connection)
            sa.event.remove(engine, "before_cursor_execute", plan)
        for number, text in enumerate(plans, 1):
            print(f"-- {name}, statement {number}\n{text}\n")
        plans.clear()


@contextmanager
def run_server(database_url: str) -> Iterator[str]:
    """Run `mltrace serve` on the database; the value is the address of its API."""
    program = Path(sys.executable).with_name("mltrace")
    ports = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "0"]
    logs = ["--log-format=text", "--log-level=warning"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        # What is read for /metrics now and then is measured by `scrape`.
        [str(program), "serve", "--metrics-interval=300", *logs, *ports],
        env={**os.environ, "MLTRACE_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split("panel ", 1)[1].split()[0]
    finally:
        process.terminate()
        process.wait()


def list_questions(history: Landmarks) -> list[Question]:
    """Return what is asked. Chance chooses among the newest rounds, as people do, and among all."""

    def back(chance: random.Random) -> int:
        return chance.randrange(2, min(LINEAGE_ROUNDS, history.rounds - 12))

    def place(chance: random.Random) -> tuple[int, int]:
        return chance.randrange(PIPELINES), chance.randrange(WIDTH)

    def prediction(chance: random.Random) -> str:
        pipeline, column = place(chance)
        return history.prediction(pipeline, back(chance), column)

    def table(chance: random.Random) -> str:
        pipeline, column = place(chance)
        return history.table(pipeline, back(chance), 1, column | 1)

    def component(chance: random.Random) -> str:
        pipeline, column = place(chance)
        return f"pipeline-{pipeline}/layer-{chance.randrange(1, LAYERS)}/stage-{column:02}"

    def run(chance: random.Random) -> int:
        return chance.randrange(1, history.runs)

    def middle(chance: random.Random) -> int:
        return history.runs // 2 + chance.randrange(PIPELINES * ROUND_RUNS)

    nodes: Callable[[Any], int] = lambda answer: len(answer["nodes"])  # noqa: E731 - a measure
    items: Callable[[Any], int] = lambda answer: len(answer["items"])  # noqa: E731
    return [
        Question("recent", lambda _: "/api/runs", measure=items),
        Question("recent, 100", lambda _: "/api/runs?limit=100", measure=items),
        Question(
            "recent failures", lambda _: "/api/runs?status=tests-failed&limit=20", measure=items
        ),
        Question(
            "history", lambda chance: to("/api/runs", component=component(chance)), measure=items
        ),
        Question(
            "tag", lambda chance: to("/api/runs", tag=f"team-{place(chance)[0]}"), measure=items
        ),
        Question("inspect", lambda chance: f"/api/runs/{run(chance)}"),
        Question("inspect by span", lambda chance: f"/api/runs/{run(chance):016x}"),
        Question(
            "trace of ~200",
            lambda chance: to("/api/trace", output=prediction(chance)),
            measure=nodes,
        ),
        Question(
            "trace by component",
            lambda chance: to("/api/trace/components", output=prediction(chance)),
            measure=nodes,
        ),
        Question(
            "impact of ~200", lambda chance: to("/api/impact", output=table(chance)), measure=nodes
        ),
        Question("pointer", lambda chance: f"/api/pointers/{table(chance)}"),
        Question("search a name", lambda chance: to("/api/search", q=prediction(chance)[:-4])),
        Question("search words", lambda _: to("/api/search", q="stage-07 layer-3")),
        Question("component", lambda chance: f"/api/components/{component(chance)}"),
        Question(
            "trace of a chain of 10,000",
            lambda _: to("/api/trace", output=history.chain_end, limit="10000"),
            limit_ms=500,
            count=10,
            measure=nodes,
        ),
        Question(
            "impact of a chain, 2,000",
            lambda _: to("/api/impact", output=history.chain_begin),
            limit_ms=500,
            count=10,
            measure=nodes,
        ),
        Question(
            "review of 100",
            lambda _: "/api/review",
            limit_ms=500,
            count=10,
            measure=lambda answer: answer["flag_count"],
        ),
        *(
            Question(f"page: {name}", always(path), limit_ms=100, count=30)
            for name, path in PAGES.items()
        ),
        *(
            Question(f"page: {name}", make, limit_ms=100, count=30)
            for name, make in {
                "tag": lambda chance: to("/tag", name=f"team-{place(chance)[0]}"),
                "run": lambda chance: f"/runs/{middle(chance)}",
                "compare": lambda chance: to("/compare", b=f"{middle(chance)}"),
                "output": lambda chance: to("/output", name=prediction(chance)),
                "trace": lambda chance: to("/trace", output=prediction(chance)),
                "trace, each run": lambda chance: to(
                    "/trace", output=prediction(chance), view="runs"
                ),
                "impact": lambda chance: to("/impact", output=table(chance)),
                "run of a chain": lambda _: f"/runs/{CHAIN}",
                "trace of a chain": lambda _: to("/trace", output=history.chain_end),
                "impact of a chain": lambda _: to("/impact", output=history.chain_begin),
            }.items()
        ),
    ]


def always(path: str) -> Callable[[random.Random], str]:
    """Return what chance has no part in."""
    return lambda _: path


def to(path: str, **parameters: str) -> str:
    """Return an address with its query."""
    return f"{path}?{urlencode(parameters)}"


def measure(client: httpx.Client, question: Question) -> dict[str, object]:
    """Ask one question often."""
    chance = random.Random(7)  # noqa: S311 - no secret
    for _ in range(question.count):
        client.get(question.make(chance)).raise_for_status()
    took_ms, holds = [], 0
    _, used_s = read_cpu_s(os.getpid())
    for _ in range(question.count):
        address = question.make(chance)
        started = time.perf_counter()
        answer = client.get(address)
        took_ms.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    cpu_ms = (read_cpu_s(os.getpid())[1] - used_s) * 1000 / question.count
    if answer.headers["content-type"] == "application/json":
        holds = question.measure(answer.json())
    took_ms.sort()
    p95 = took_ms[int(len(took_ms) * 0.95)]
    return {
        "question": question.name,
        "p50_ms": round(took_ms[len(took_ms) // 2], 1),
        "p95_ms": round(p95, 1),
        "slowest_ms": round(took_ms[-1], 1),
        "cpu_ms": round(cpu_ms, 1),
        "limit_ms": question.limit_ms,
        "kept": p95 <= question.limit_ms,
        "holds": holds,
        "kB": round(len(answer.content) / 1000),
    }


if __name__ == "__main__":
    main()
