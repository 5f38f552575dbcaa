"""Writing what arrived. The one place where runs enter the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.model import Batch, Run, SpanId
from mltrace_exporter.store.arrivals.admission import admit
from mltrace_exporter.store.arrivals.outputs import count_outputs
from mltrace_exporter.store.arrivals.parts import lock_parts, write_parts
from mltrace_exporter.store.arrivals.rows import write_rows
from mltrace_exporter.store.arrivals.totals import count_runs
from mltrace_exporter.store.arrivals.words import describe_components, keep_code, keep_names
from mltrace_exporter.store.dead_letters import write_dead_letters
from mltrace_exporter.store.pointers import hash_name


@dataclass(frozen=True, slots=True)
class Written:
    """What became of component runs. Markers and parts are none.

    Attributes:
        new: those that were new.
        duplicate: how many the database had already.
        refused: how many spans of any kind the database cannot store.
    """

    new: frozenset[SpanId] = frozenset()
    duplicate: int = 0
    refused: int = 0

    @property
    def stored(self) -> int:
        """The number of new runs."""
        return len(self.new)


def join_written(several: Iterable[Written]) -> Written:
    """Return what became of all."""
    every = list(several)
    return Written(
        frozenset().union(*(one.new for one in every)),
        sum(one.duplicate for one in every),
        sum(one.refused for one in every),
    )


def write_runs(connection: sa.Connection, runs: Sequence[Run]) -> Written:
    """Store runs as `write_batch` does."""
    return write_batch(connection, Batch(list(runs)))


def write_batch(connection: sa.Connection, batch: Batch) -> Written:
    """Store what senders said and count it, all in the connection's transaction.

    A run that is stored already changes nothing, not even a counter. Nothing is durable before the
    caller commits. Rows are written in one order by every exporter, so that two cannot deadlock.

    Raises:
        psycopg2.errors.UniqueViolation: another exporter stored one of the runs at the same time;
            roll back and call again.
    """
    lock_parts(connection, writes_parts=bool(batch.parts))
    entries = admit(connection, batch.runs, batch.markers)
    ended = [entry.run for entry in entries if entry.marker is None]
    if entries:
        runs = [entry.run for entry in entries]
        names = {name: hash_name(name) for name in {io.name for run in runs for io in run.io}}
        write_rows(connection, entries, names)
        # What others write too comes last: they wait for it until the end of the transaction.
        keep_code(connection, runs)
        keep_names(connection, names)
        describe_components(connection, runs)
        count_runs(connection, ended)
        count_outputs(connection, ended)
    new = frozenset(run.id for run in ended)
    write_parts(connection, batch.parts, new)
    write_dead_letters(connection, batch.dead_letters)
    return Written(new, duplicate=len(batch.runs) - len(new))
