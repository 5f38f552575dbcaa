"""A bare COPY of rows that are stored: what a database could take if nothing had to be found out.

In: a database with runs. Out: runs a second into fresh tables, and into those that are full.
"""

import io
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from mltrace_exporter.store.database import migrate, open_engine

RUNS_PER_COPY = 2048
# Each table that holds runs, by the column that tells the run.
TABLES = {"component_run": "id", "run_io": "run_id", "test_result": "run_id"}
# What makes rows of runs those of other runs, a year later.
RENEWED = {
    "component_run": {
        "id": "id + 1000000000",
        "trace_id": "set_byte(trace_id, 0, 255)",
        "span_id": "set_byte(span_id, 0, 255)",
        "started_at": "started_at + interval '1 year'",
        "ended_at": "ended_at + interval '1 year'",
    },
    "run_io": {
        "run_id": "run_id + 1000000000",
        "pointer_id": "pointer_id # 81985529216486895",
        "moment": "moment + interval '1 year'",
        "digest": "'xxh128:' || md5(digest)",
    },
    "test_result": {"run_id": "run_id + 1000000000"},
    "io_pointer": {"id": "id # 81985529216486895", "name": "'new-' || name"},
}


def measure_copies(database: str, limit: int) -> tuple[float, float]:
    """Return runs per second of copying what was stored, up to a limit, into fresh and full tables.

    The full ones are those that hold all that was sent. What they get is like it, but new.
    """
    source = open_engine(database)
    with source.connect() as connection:
        ids = read_ids(connection, limit)
        batches = [read_batch(connection, some, {}) for some in ids]
    with source.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE DATABASE bare"))
    bare = open_engine(database.replace("/postgres?", "/bare?"))
    migrate(bare)
    fresh_s = copy_in(bare, batches)
    with source.connect() as connection:
        batches = [read_batch(connection, some, RENEWED) for some in ids]
    full_s = copy_in(source, batches)
    for engine in (source, bare):
        engine.dispose()
    count = sum(map(len, ids))
    return count / fresh_s, count / full_s


def copy_in(engine: sa.Engine, batches: Iterable[Mapping[str, str]]) -> float:
    """Copy batches, each with a commit of its own, and return the seconds it took."""
    with engine.connect() as connection:
        started = time.perf_counter()
        for batch in batches:
            write_batch(connection, batch)
            connection.commit()
        return time.perf_counter() - started


def read_ids(connection: sa.Connection, limit: int) -> list[Sequence[int]]:
    """Return the runs' ids by the commit that is to hold them."""
    query = sa.text(f"SELECT id FROM component_run ORDER BY id LIMIT {limit}")  # noqa: S608 - a number
    ids = list(connection.scalars(query))
    return [ids[start : start + RUNS_PER_COPY] for start in range(0, len(ids), RUNS_PER_COPY)]


def read_batch(
    connection: sa.Connection, ids: Sequence[int], renewed: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Return rows of some runs by table as COPY writes them; a pointer goes with its first run.

    `renewed` has, by table and column, what is to be read in the column's place.
    """
    between = f"BETWEEN {ids[0]} AND {ids[-1]}"
    columns = {
        table: ", ".join(
            renewed.get(table, {}).get(column["name"], f'"{column["name"]}"')
            for column in sa.inspect(connection).get_columns(table)
        )
        for table in (*TABLES, "io_pointer")
    }
    queries = {
        table: f"SELECT {columns[table]} FROM {table} WHERE {column} {between}"  # noqa: S608 - our own words
        for table, column in TABLES.items()
    }
    queries["io_pointer"] = (
        f"SELECT {columns['io_pointer']} FROM io_pointer p JOIN "  # noqa: S608 - our own words
        "(SELECT pointer_id, min(run_id) AS run_id FROM run_io "
        f"WHERE run_id <= {ids[-1]} GROUP BY pointer_id) f "
        f"ON f.pointer_id = p.id WHERE f.run_id {between}"
    )
    return {table: copy_out(connection, query) for table, query in queries.items()}


def copy_out(connection: sa.Connection, query: str) -> str:
    """Return a query's rows as COPY writes them."""
    driver: Any = connection.connection.driver_connection
    rows = io.StringIO()
    with driver.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", rows)
    return rows.getvalue()


def write_batch(connection: sa.Connection, batch: Mapping[str, str]) -> None:
    """Copy rows into their tables."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        for table, rows in batch.items():
            cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO(rows))
