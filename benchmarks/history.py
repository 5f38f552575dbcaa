"""A history of a million runs in a private PostgreSQL, to ask questions of.

Ten pipelines of eleven layers with twenty components each run round after round; a run reads from
three runs of the layer above, so each prediction has some two hundred ancestors by thousands of
paths. All rules of who produced an input occur: names that are overwritten and names with the time
in them, equal contents under equal and other names, links. One content never changes; some inputs
are out of date. The first layer runs every tenth round only. Five pipelines run for one of twenty
customers at a time. A chain of 10,000 runs stands beside them. The chain and every second pipeline
tell how their outputs are distributed, and log a metric. 100 outputs are flagged.

In: a folder for the database (used again if the same history is in it), the number of runs, a seed.
Out: the database; the same history for the same numbers. Rows are copied into the migrated tables
without their indexes, which are made afterwards. Takes about two minutes on two cores.

Run with `python benchmarks/history.py [FOLDER] [--runs N] [--seed N]`.
"""

import argparse
import io
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rows.pipelines import (
    CHAIN,
    COLUMNS,
    PIPELINES,
    ROUND_RUNS,
    WIDTH,
    Pipelines,
    count_rounds,
    name_prediction,
    name_table,
)

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.store.database import migrate, open_engine
from mltrace_exporter.store.pointers import hash_name

RUNS = 1_000_000
FLAGS = 100
# A folder is used again only by the version that filled it.
VERSION = 2


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What there is to ask about, found again in a database that is used again.

    Attributes:
        runs: how many runs there are.
        rounds: how often each pipeline ran.
    """

    runs: int
    rounds: int

    @property
    def chain_end(self) -> str:
        """The output whose trace is the whole chain."""
        return f"chain/{CHAIN - 1}"

    @property
    def chain_begin(self) -> str:
        """The output whose impact is the whole chain."""
        return "chain/0"

    def prediction(self, pipeline: int, back: int, column: int = 0) -> str:
        """Return an output of a last layer, ``back`` rounds before the newest round."""
        return name_prediction(pipeline, self.rounds - 1 - back, column, 0)

    def table(self, pipeline: int, back: int, layer: int, column: int) -> str:
        """Return an output of any layer; columns of odd number write each name once."""
        return name_table(pipeline, layer, column, self.rounds - 1 - back)


def main() -> None:
    """Make the history and print what it holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = options.folder or choose_folder(options.runs)
    started = time.perf_counter()
    with open_history(folder, options.runs, options.seed) as (engine, _):
        with engine.connect() as connection:
            counts = {
                table: connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608
                for table in (*COLUMNS, "flag")
            }
        print(json.dumps({"seconds": round(time.perf_counter() - started), **counts}))


def choose_folder(runs: int) -> Path:
    """Return where a history of so many runs is kept if nobody names a folder."""
    return Path(tempfile.gettempdir()) / f"mltrace-history-{runs}"


@contextmanager
def open_history(folder: Path, runs: int, seed: int = 1) -> Iterator[tuple[sa.Engine, Landmarks]]:
    """Run a PostgreSQL with the history in ``folder``, made first if it is not there."""
    kind = json.dumps({"version": VERSION, "runs": runs, "seed": seed})
    made = folder / "history.json"
    if folder.exists() and any(folder.iterdir()) and not made.exists():
        raise SystemExit(f"{folder} holds something else, or half a history: remove it first.")
    if made.exists() and made.read_text() != kind:
        raise SystemExit(f"{folder} holds another history, {made.read_text()}: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    options = {"max_wal_size": "8GB", "maintenance_work_mem": "512MB"}
    with EmbeddedPostgres(folder / "postgres", options=options) as server:
        engine = open_engine(server.url)
        migrate(engine)
        if not made.exists():
            _fill(engine, runs, seed)
            made.write_text(kind)
        rounds = count_rounds(runs)
        yield engine, Landmarks(CHAIN + rounds * PIPELINES * ROUND_RUNS, rounds)
        engine.dispose()


def _fill(engine: sa.Engine, runs: int, seed: int) -> None:
    with engine.begin() as connection:
        # All at once or nothing; keys are right by construction.
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        definitions = _drop_indexes(connection)
        for rows in Pipelines(runs, seed).write():
            for table, lines in rows.items():
                _copy(connection, table, lines)
        for definition in definitions:
            connection.execute(sa.text(definition))
        _finish(connection, runs)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def _drop_indexes(connection: sa.Connection) -> list[str]:
    """Drop every index that no constraint needs; return how to make them again."""
    query = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname "
        "NOT IN (SELECT conname FROM pg_constraint)"
    )
    rows = connection.execute(query).all()
    for row in rows:
        connection.execute(sa.text(f'DROP INDEX "{row.indexname}"'))
    return [row.indexdef for row in rows]


def _copy(connection: sa.Connection, table: str, lines: list[str]) -> None:
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(f'"{name}"' for name in COLUMNS[table])
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("".join(lines)))


def _finish(connection: sa.Connection, runs: int) -> None:
    """Flag outputs of five rounds, and let numbers go on after ours."""
    rounds = count_rounds(runs)
    names = [
        name_prediction(3, rounds - 8 + number // WIDTH, number % WIDTH, 0)
        for number in range(FLAGS)
    ]
    connection.execute(
        sa.text(
            "INSERT INTO flag (pointer_id, run_id, reason) "
            "SELECT pointer_id, run_id, 'benchmark' FROM run_io "
            "WHERE pointer_id = ANY(:ids) AND direction = 'output'"
        ),
        {"ids": [hash_name(name) for name in names]},
    )
    connection.execute(
        sa.text(
            "SELECT setval(pg_get_serial_sequence('component_run', 'id'), max(id)) "
            "FROM component_run"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO metric_total SELECT 'mltrace_component_runs_total', ARRAY[component, "
            "CASE execution WHEN 'ok' THEN 'succeeded' ELSE 'failed' END], count(*) "
            "FROM component_run GROUP BY 1, 2"
        )
    )


if __name__ == "__main__":
    main()
