"""Distributions of outputs over all runs, which inserts keep, as they keep counters."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from mltrace_exporter.model import Run
from mltrace_exporter.store.bulk import unnest
from mltrace_exporter.store.schema import output_total
from mltrace_otel.profiles.bounds import choose_bounds, count_between
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.histograms import count_all, count_values, merge_histograms
from mltrace_otel.profiles.shapes import Buckets, ColumnKind, Histogram

Bounds = tuple[float, ...]


class _Side(msgspec.Struct):
    offset: int
    counts: tuple[int, ...]


class _Numbers(msgspec.Struct):
    scale: int
    zeros: int
    positive: _Side | None = None
    negative: _Side | None = None


class _Column(msgspec.Struct):
    """What is wanted of a column, which takes a tenth of the time to read."""

    name: str
    kind: str
    numbers: _Numbers | None = None


_decoder = msgspec.json.Decoder(list[_Column])


class OutputKey(NamedTuple):
    """A column of an output; a single number has a column without name."""

    component: str
    output: str
    column_name: str

    @property
    def hash(self) -> bytes:
        """What it is found by."""
        return hashlib.blake2b(json.dumps(self).encode(), digest_size=16).digest()


def count_outputs(connection: sa.Connection, runs: Iterable[Run]) -> None:
    """Count the numbers that runs gave.

    Buckets of a column are chosen when it is first seen, and then stay: whoever comes first decides
    for all exporters.
    """
    found: defaultdict[OutputKey, list[Histogram]] = defaultdict(list)
    for run in runs:
        for key, histogram in _list_numbers(run):
            if count_all(histogram):
                found[key].append(histogram)
    if not found:
        return
    merged = {key: merge_histograms(each) for key, each in sorted(found.items())}
    bounds = _read_bounds(connection, merged)
    if len(bounds) < len(merged):
        new = {key: each for key, each in merged.items() if key not in bounds}
        _choose_bounds(connection, new)
        bounds |= _read_bounds(connection, new)
    counts = {key: count_between(each, bounds[key]) for key, each in merged.items()}
    _add_counts(connection, counts, bounds)


def _list_numbers(run: Run) -> Iterator[tuple[OutputKey, Histogram]]:
    for profile in run.profiles:
        if profile.direction == "output":
            for name, histogram in _read_histograms(profile.columns):
                yield OutputKey(run.component, profile.variable, name), histogram
    for metric in run.metrics:
        if metric.is_output:
            yield OutputKey(run.component, metric.name, ""), count_values([metric.value])


def _read_histograms(text: str) -> Iterator[tuple[str, Histogram]]:
    try:
        columns = _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError):  # what only the reader of whole profiles takes
        for each in decode_columns(text):
            if each.kind is ColumnKind.NUMERIC and each.numbers:
                yield each.name, each.numbers.histogram
        return
    for column in columns:
        if column.kind == ColumnKind.NUMERIC and column.numbers:
            told = column.numbers
            sides = (
                Buckets(side.offset, side.counts) if side else Buckets()
                for side in (told.positive, told.negative)
            )
            yield column.name, Histogram(told.scale, told.zeros, *sides)


def _read_bounds(connection: sa.Connection, keys: Iterable[OutputKey]) -> dict[OutputKey, Bounds]:
    asked = {key.hash: key for key in keys}
    query = sa.select(output_total.c.hash, output_total.c.bounds).where(
        output_total.c.hash.in_(asked)
    )
    return {asked[bytes(hash_)]: tuple(bounds) for hash_, bounds in connection.execute(query)}


def _choose_bounds(connection: sa.Connection, new: Mapping[OutputKey, Histogram]) -> None:
    chosen = {key: choose_bounds(histogram) for key, histogram in new.items()}
    nothing = {key: [0] * (len(bounds) + 1) for key, bounds in chosen.items()}
    connection.execute(_insert(chosen, nothing).on_conflict_do_nothing())


def _add_counts(
    connection: sa.Connection,
    counts: Mapping[OutputKey, list[int]],
    bounds: Mapping[OutputKey, Bounds],
) -> None:
    added = sa.text(
        "(SELECT array_agg(mine + new ORDER BY place) FROM unnest(output_total.counts, "
        "excluded.counts) WITH ORDINALITY AS pair (mine, new, place))"
    )
    statement = _insert(bounds, counts)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["hash"], set_={"counts": added})
    )


def _insert(bounds: Mapping[OutputKey, Bounds], counts: Mapping[OutputKey, list[int]]) -> pg.Insert:
    """Return one statement for all rows, which are written in the same order by everybody."""
    keys = list(counts)
    rows = unnest(
        hash=([key.hash for key in keys], sa.LargeBinary),
        component=([key.component for key in keys], sa.Text),
        output=([key.output for key in keys], sa.Text),
        column_name=([key.column_name for key in keys], sa.Text),
        bounds=([_write(bounds[key]) for key in keys], sa.Text),
        counts=([_write(counts[key]) for key in keys], sa.Text),
    )
    columns = [
        *(rows.c.hash, rows.c.component, rows.c.output, rows.c.column_name),
        sa.cast(rows.c.bounds, pg.ARRAY(sa.Double)),
        sa.cast(rows.c.counts, pg.ARRAY(sa.BigInteger)),
    ]
    names = ["hash", "component", "output", "column_name", "bounds", "counts"]
    return pg.insert(output_total).from_select(names, sa.select(*columns).order_by(rows.c.hash))


def _write(numbers: Iterable[float]) -> str:
    """Return an array as PostgreSQL reads it."""
    return f"{{{','.join(map(repr, numbers))}}}"
