"""Tables of any library as columns that can be read. In: a table. Out: its profile.

A table of up to `CELL_LIMIT` cells is read whole. Of a larger one blocks of rows are read that lie
evenly over it, the same of each column; the profile says how many. Reading a value that is told
apart takes as long as reading `LEAST_WEIGHT` numbers if there are few, and `DISTINCT_WEIGHT` if no
other is the same, and counts as much: a look at some rows tells how many there are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count

from mltrace_otel.notices import log
from mltrace_otel.profiles.shapes import COLUMN_LIMIT, Column, Profile

CELL_LIMIT = 50_000_000
LEAST_WEIGHT = 5
DISTINCT_WEIGHT = 250
NAME_LIMIT = 200

_BLOCK_ROWS = 1024
_PROBE_ROWS = 10_000

Rows = Sequence[slice] | None
"""Which rows to read: None for all."""


@dataclass(frozen=True, slots=True)
class Source:
    """A column that can be read.

    Attributes:
        name: its name.
        weight: how long one of its values takes to read, in numbers.
        read: returns its summary, of these rows.
    """

    name: str
    weight: int
    read: Callable[[str, Rows], Column]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be read."""

    rows: int
    sources: Sequence[Source]
    left_out: int = 0


def summarise_table(table: Table) -> Profile:
    """Return a table's profile. A column that cannot be read is left out."""
    sources = table.sources[:COLUMN_LIMIT]
    limit = CELL_LIMIT // max(sum(source.weight for source in sources), 1)
    rows = pick_rows(table.rows, limit)
    looked_at = table.rows if rows is None else sum(each.stop - each.start for each in rows)
    named = zip(name_apart(source.name for source in sources), sources, strict=True)
    columns = [column for name, source in named if (column := _read(name, source, rows))]
    others = len(table.sources) + table.left_out - len(columns)
    return Profile(table.rows, looked_at, tuple(columns), others)


def weigh_values(rows: int, count_distinct: Callable[[slice], int]) -> int:
    """Return how long a value of a column that holds texts or objects takes to read.

    Args:
        rows: how many there are.
        count_distinct: tells how many different values these rows have.
    """
    if rows <= _PROBE_ROWS:
        return DISTINCT_WEIGHT
    start = (rows - _PROBE_ROWS) // 2
    distinct = count_distinct(slice(start, start + _PROBE_ROWS))
    return LEAST_WEIGHT + DISTINCT_WEIGHT * distinct // _PROBE_ROWS


def _read(name: str, source: Source, rows: Rows) -> Column | None:
    try:
        column = source.read(name, rows)
    except Exception as error:  # noqa: BLE001 - any column may refuse to be read, in its own way
        log.debug("Column %r has no profile: %s", name, type(error).__name__)
        return None
    return column


def pick_rows(rows: int, limit: int) -> Rows:
    """Return about ``limit`` rows in blocks that lie evenly over all; None if there are no more."""
    if rows <= max(limit, _BLOCK_ROWS):
        return None
    blocks = max(limit // _BLOCK_ROWS, 1)
    starts = (place * (rows - _BLOCK_ROWS) // max(blocks - 1, 1) for place in range(blocks))
    return [slice(start, start + _BLOCK_ROWS) for start in starts]


def name_apart(names: Iterable[str]) -> list[str]:
    """Return names cut to what is kept, the second of a name with ``#2`` behind it."""
    apart: dict[str, None] = {}
    for name in names:
        short = name[:NAME_LIMIT]
        numbered = (f"{short}#{number}" for number in count(2))
        apart[next(each for each in chain([short], numbered) if each not in apart)] = None
    return list(apart)
