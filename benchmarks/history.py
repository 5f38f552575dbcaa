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
import hashlib
import io
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.embedded import EmbeddedPostgres
from mltrace_exporter.store.database import migrate, open_engine
from mltrace_exporter.store.pointers import hash_name
from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.merging import summarise_numbers
from mltrace_otel.profiles.shapes import Column, ColumnKind
from mltrace_otel.profiles.summaries import summarise

RUNS = 1_000_000
PIPELINES, LAYERS, WIDTH = 10, 11, 20
ROUND_RUNS = LAYERS * WIDTH
CHAIN = 10_000
FLAGS = 100
CUSTOMERS = 20
RARE = 10
BEGIN = datetime(2025, 6, 1, tzinfo=UTC)
ROUND = timedelta(hours=6)
LAYER = timedelta(minutes=10)
BATCH_RUNS = 20_000
# A folder is used again only by the version that filled it.
VERSION = 2

_COLUMNS = {
    "component": (
        *("name", "owner", "description", "tags", "said_tags", "described_at", "described_by"),
    ),
    "code": ("hash", "source"),
    "component_run": (
        *("id", "trace_id", "span_id", "component", "started_at", "ended_at", "execution"),
        *("message", "partition", "code_hash", "code_function", "git_hash", "resource"),
    ),
    "io_pointer": ("id", "name"),
    "run_io": (
        *("run_id", "position", "direction", "pointer_id", "moment", "type", "digest"),
        *("size_bytes", "producer_trace_id", "producer_span_id"),
    ),
    "test_result": ("run_id", "position", "suite", "case", "phase", "status", "message"),
    "profile": (
        *("run_id", "direction", "variable", "pointer", "rows", "looked_at", "columns_left_out"),
        *("columns", "figures"),
    ),
    "metric_value": ("run_id", "name", "is_output", "value"),
}
_DRAWS = 50
"""So many different profiles there are."""


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
        return _name_prediction(pipeline, self.rounds - 1 - back, column, 0)

    def table(self, pipeline: int, back: int, layer: int, column: int) -> str:
        """Return an output of any layer; columns of odd number write each name once."""
        return _name_table(pipeline, layer, column, self.rounds - 1 - back)


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
                for table in (*_COLUMNS, "flag")
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
        rounds = _count_rounds(runs)
        yield engine, Landmarks(CHAIN + rounds * PIPELINES * ROUND_RUNS, rounds)
        engine.dispose()


def _fill(engine: sa.Engine, runs: int, seed: int) -> None:
    with engine.begin() as connection:
        # All at once or nothing; keys are right by construction.
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        definitions = _drop_indexes(connection)
        for rows in _History(runs, seed).write():
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
    columns = ", ".join(f'"{name}"' for name in _COLUMNS[table])
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO("".join(lines)))


def _finish(connection: sa.Connection, runs: int) -> None:
    """Flag outputs of five rounds, and let numbers go on after ours."""
    rounds = _count_rounds(runs)
    names = [
        _name_prediction(3, rounds - 8 + number // WIDTH, number % WIDTH, 0)
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


def _count_rounds(runs: int) -> int:
    return (runs - CHAIN) // (ROUND_RUNS * PIPELINES)


def _name_component(pipeline: int, layer: int, column: int) -> str:
    return f"pipeline-{pipeline}/layer-{layer}/stage-{column:02}"


def _name_table(pipeline: int, layer: int, column: int, turn: int) -> str:
    name = f"data/{pipeline}/{layer}/{column:02}"
    return f"{name}-{turn:05}.parquet" if column % 2 else f"{name}.parquet"


def _name_prediction(pipeline: int, turn: int, column: int, number: int) -> str:
    return f"prediction-{pipeline}-{turn:05}-{column:02}-{number}"


def _hash(content: str) -> str:
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _draw_profile(rng: random.Random) -> str:
    """Return what COPY reads of two columns: their profiles, and figures of them."""
    columns = [
        Column(
            name,
            ColumnKind.NUMERIC,
            1_000,
            0,
            summarise_numbers([rng.gauss(10, 4) for _ in range(1_000)]),
        )
        for name in ("delay", "distance")
    ]
    figures = [asdict(summarise(column)) for column in columns]
    return f"{encode_columns(columns)}\t{json.dumps(figures)}"


class _History:
    """Writes rows batch by batch, in the order of time; a run's span id tells its number."""

    def __init__(self, runs: int, seed: int) -> None:
        self._runs = runs
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._rows: defaultdict[str, list[str]] = defaultdict(list)
        self._named: set[int] = set()
        self._counted: Counter[str] = Counter()
        self._number = 0
        self._profiles = [_draw_profile(self._random) for _ in range(_DRAWS)]

    def write(self) -> Iterator[dict[str, list[str]]]:
        """Yield lines of COPY by table."""
        self._write_chain()
        for turn in range(_count_rounds(self._runs)):
            for pipeline in range(PIPELINES):
                for layer in range(LAYERS):
                    for column in range(WIDTH):
                        self._write_stage(pipeline, layer, column, turn)
            if len(self._rows["component_run"]) >= BATCH_RUNS:
                yield self._rows
                self._rows = defaultdict(list)
        yield self._rows

    def _write_chain(self) -> None:
        self._describe("chain", "chain", "chain", BEGIN)
        for number in range(CHAIN):
            began = (BEGIN + timedelta(minutes=number)).isoformat()
            ended = (BEGIN + timedelta(minutes=number, seconds=30)).isoformat()
            run_id = self._write_run("chain", began, ended, "\\N", 0)
            if number:
                self._write_io(run_id, 0, "input", f"chain/{number - 1}", began, f"c{number - 1}")
            self._write_io(run_id, 1, "output", f"chain/{number}", ended, f"c{number}")
            self._write_profile(run_id, f"chain/{number}")

    def _write_stage(self, pipeline: int, layer: int, column: int, turn: int) -> None:
        """Write one run, and its component at its first."""
        begin = BEGIN + turn * ROUND + layer * LAYER + timedelta(seconds=column)
        if layer == 0 and turn % RARE and column:
            # A stage that runs in rare rounds only; in the others something else of the same size
            # runs in its place, which nobody reads.
            name = f"pipeline-{pipeline}/layer-0/sensor-{column:02}"
            reads: list[tuple[str, str, str]] = []
            writes = [(f"data/{pipeline}/sensor-{column:02}-{turn:05}.csv", f"s{self._number:x}")]
        else:
            name = _name_component(pipeline, layer, column)
            reads = [self._choose_read(pipeline, layer, column, turn, way) for way in range(3)]
            writes = self._list_writes(pipeline, layer, column, turn)
        if name not in self._counted:
            self._describe(name, f"team-{pipeline}", f"layer-{layer}", begin)
        customer = f"customer-{turn % CUSTOMERS}" if pipeline >= PIPELINES // 2 else "\\N"
        began = begin.isoformat()
        ended = (begin + timedelta(seconds=20 + 10 * self._random.random())).isoformat()
        run_id = self._write_run(name, began, ended, customer, turn)
        position = 0
        for read, digest, producer in reads:
            self._write_io(run_id, position, "input", read, began, digest, producer)
            position += 1
        for written, digest in writes:
            self._write_io(run_id, position, "output", written, ended, digest)
            position += 1
        if pipeline % 2 == 0:
            self._write_profile(run_id, writes[0][0])

    def _write_profile(self, run_id: int, pointer: str) -> None:
        drawn = self._random.choice(self._profiles)
        self._rows["profile"].append(
            f"{run_id}\toutput\tframe\t{pointer}\t1000\t1000\t0\t{drawn}\n"
        )
        self._rows["metric_value"].append(f"{run_id}\trows\tt\t1000\n")

    def _choose_read(
        self, pipeline: int, layer: int, column: int, turn: int, way: int
    ) -> tuple[str, str, str]:
        """Return name, digest and producer of one of three inputs."""
        if layer == 1 and column == way == 0:
            return f"data/{pipeline}/lookup.csv", "lookup", ""
        if layer == 0:
            return f"raw/{pipeline}/{column:02}-{way}.csv", f"raw{turn}", ""
        from_column = (column + (0, 1, 7 + 2 * layer)[way]) % WIDTH
        from_turn = turn
        if layer == 1 and from_column:
            from_turn = turn - turn % RARE
        elif layer == 5 and column == 3 and way == 0 and turn:
            from_turn = turn - 1  # out of date: the newer one is there already
        name = _name_table(pipeline, layer - 1, from_column, from_turn)
        digest = f"{pipeline}.{layer - 1}.{from_column}.{from_turn}"
        if way == 0 and column % 5 == 0:
            # In memory: known by the content alone.
            name = f"{_name_component(pipeline, layer, column)}(frame)"
        number = CHAIN + 1 + (from_turn * PIPELINES + pipeline) * ROUND_RUNS
        number += (layer - 1) * WIDTH + from_column
        return name, digest, f"{number:016x}" if way == 1 and column % 5 == 1 else ""

    def _list_writes(
        self, pipeline: int, layer: int, column: int, turn: int
    ) -> list[tuple[str, str]]:
        """Return name and digest of each output."""
        if layer == LAYERS - 1:
            names = [_name_prediction(pipeline, turn, column, number) for number in range(3)]
            return [(name, "") for name in names]
        table = _name_table(pipeline, layer, column, turn)
        writes = [(table, f"{pipeline}.{layer}.{column}.{turn}")]
        if layer == 0 and column == 0:
            writes.append((f"data/{pipeline}/lookup.csv", "lookup"))
        else:
            writes.append((f"report/{pipeline}/{layer}/{column:02}-{turn:05}.json", ""))
        return writes

    def _describe(self, name: str, owner: str, tag: str, begin: datetime) -> None:
        self._rows["component"].append(
            f"{name}\t{owner}\tDoes what {name} does.\t{{{owner},{tag}}}\t{{{owner},{tag}}}\t"
            f"{begin.isoformat()}\t\\\\x00\n"
        )

    def _write_run(self, name: str, began: str, ended: str, partition: str, turn: int) -> int:
        self._number += 1
        number = self._number
        count = self._counted[name]
        self._counted[name] += 1
        code = f"{hash_name(name) & (2**64 - 1):016x}{count // 50:016x}"
        if count % 50 == 0:
            self._rows["code"].append(
                f"\\\\x{code}\tdef run(frame):\\n    return frame  # {name}, {count // 50}\\n\n"
            )
        outcome = "ok\t\\N" if self._random.random() > 0.003 else "error\tValueError: no rows"
        self._rows["component_run"].append(
            f"{number}\t\\\\x{number:032x}\t\\\\x{number:016x}\t{name}\t{began}\t{ended}\t"
            f"{outcome}\t{partition}\t"
            f'\\\\x{code}\tpipeline.run\t{turn // 20:040x}\t{{"service.name": "benchmark"}}\n'
        )
        if number % 2:
            bad = self._random.random() < 0.002
            verdict = "fail\t3 nulls" if bad else "pass\t\\N"
            self._rows["test_result"].append(
                f"{number}\t0\tFrameTest\ttestNulls\tafter\t{verdict}\n"
                f"{number}\t1\tFrameTest\ttestRange\tafter\tpass\t\\N\n"
            )
        return number

    def _write_io(  # noqa: PLR0913, PLR0917 - a row of a table
        self,
        run_id: int,
        position: int,
        direction: str,
        name: str,
        moment: str,
        digest: str,
        producer: str = "",
    ) -> None:
        pointer = hash_name(name)
        if pointer not in self._named:
            self._named.add(pointer)
            self._rows["io_pointer"].append(f"{pointer}\t{name}\n")
        content = f"xxh128:{_hash(digest)}\t4096" if digest else "\\N\t\\N"
        made_by = f"\\\\x{producer:>032}\t\\\\x{producer}" if producer else "\\N\t\\N"
        self._rows["run_io"].append(
            f"{run_id}\t{position}\t{direction}\t{pointer}\t{moment}\tdata\t{content}\t{made_by}\n"
        )


if __name__ == "__main__":
    main()
