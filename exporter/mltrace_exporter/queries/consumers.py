"""Who read what a run wrote?"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from mltrace_exporter.store.lineage.descendants import read_consumers
from mltrace_exporter.store.pointers import hash_name


@dataclass(frozen=True, slots=True)
class Consumer:
    """A run that read an output, or was declared to depend on its run."""

    run_id: int
    component: str


@dataclass(frozen=True, slots=True)
class Consumers:
    """Who depends on a run.

    Attributes:
        of: for each output the runs that read it; under None those declared by hand.
        are_all: whether none was left out.
    """

    of: dict[str | None, list[Consumer]]
    are_all: bool


def list_consumers(
    connection: sa.Connection, run_id: int, outputs: Iterable[str], limit: int
) -> Consumers:
    """Return who depends on a run.

    Args:
        connection: to the database.
        run_id: the run that wrote them.
        outputs: their names.
        limit: how many pairs of output and consumer, at most.
    """
    names = {hash_name(name): name for name in outputs}
    rows = read_consumers(connection, run_id, limit)
    found: dict[str | None, list[Consumer]] = {}
    for written, consumer, component in sorted(set(rows), key=lambda row: row[1]):
        name = None if written is None else names.get(written)
        found.setdefault(name, []).append(Consumer(consumer, component))
    return Consumers(found, are_all=len(rows) < limit)
