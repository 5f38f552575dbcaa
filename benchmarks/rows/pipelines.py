"""The runs of `history`, as rows: pipelines of layers round after round, and a chain.

In: how many runs, and a seed. Out: lines of COPY by table, the same for the same numbers.
"""

import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from mltrace_exporter.store.pointers import hash_name
from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.merging import summarise_numbers
from mltrace_otel.profiles.shapes import Column, ColumnKind
from mltrace_otel.profiles.summaries import summarise

PIPELINES, LAYERS, WIDTH = 10, 11, 20
ROUND_RUNS = LAYERS * WIDTH
CHAIN = 10_000
CUSTOMERS = 20
RARE = 10
BEGIN = datetime(2025, 6, 1, tzinfo=UTC)
ROUND = timedelta(hours=6)
LAYER = timedelta(minutes=10)
BATCH_RUNS = 20_000

COLUMNS = {
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


def count_rounds(runs: int) -> int:
    """Return how often each pipeline runs, if there are so many runs in all."""
    return (runs - CHAIN) // (ROUND_RUNS * PIPELINES)


def _name_component(pipeline: int, layer: int, column: int) -> str:
    return f"pipeline-{pipeline}/layer-{layer}/stage-{column:02}"


def name_table(pipeline: int, layer: int, column: int, turn: int) -> str:
    """Return the name of what a stage writes in its turn."""
    name = f"data/{pipeline}/{layer}/{column:02}"
    return f"{name}-{turn:05}.parquet" if column % 2 else f"{name}.parquet"


def name_prediction(pipeline: int, turn: int, column: int, number: int) -> str:
    """Return the name of an output of a last layer."""
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


class Pipelines:
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
        for turn in range(count_rounds(self._runs)):
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
        name = name_table(pipeline, layer - 1, from_column, from_turn)
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
            names = [name_prediction(pipeline, turn, column, number) for number in range(3)]
            return [(name, "") for name in names]
        table = name_table(pipeline, layer, column, turn)
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
