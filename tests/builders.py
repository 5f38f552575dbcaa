"""Builds component runs for tests: plain defaults, time in minutes since an epoch."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from mltrace_exporter.model import (
    Io,
    IoPart,
    Marker,
    Run,
    SpanId,
    TestResult,
    VariableProfile,
    Words,
)
from mltrace_otel.profiles.encoding import encode_columns
from mltrace_otel.profiles.shapes import Column
from mltrace_otel.profiles.summaries import summarise

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

_serial = itertools.count(1000)


def at(minutes: float) -> datetime:
    """Return the time so many minutes after the epoch of all tests."""
    return EPOCH + timedelta(minutes=minutes)


def make_span_id(number: int | None = None) -> SpanId:
    """Return an identity that no other call without a number returns."""
    number = next(_serial) if number is None else number
    return SpanId(number.to_bytes(16, "big"), number.to_bytes(8, "big"))


def read(name: str, digest: str | None = None, **fields: Any) -> Io:
    """Return an input."""
    return Io("input", name, digest=digest, **_sized(digest, fields))


def wrote(name: str, digest: str | None = None, **fields: Any) -> Io:
    """Return an output."""
    return Io("output", name, digest=digest, **_sized(digest, fields))


def _sized(digest: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    return {"size_bytes": 1000, **fields} if digest else fields


def make_run(
    component: str = "cleaning",
    start: float = 0,
    end: float | None = None,
    io: Iterable[Io] = (),
    **fields: Any,
) -> Run:
    """Return a run from ``start`` to ``end`` (default a minute later), both in minutes."""
    return Run(
        **{
            "id": make_span_id(),
            "component": component,
            "started_at": at(start),
            "ended_at": at(start + 1 if end is None else end),
            "execution": "ok",
            "words": Words(owner="plumber", description=f"Does {component}", tags=("etl",)),
            "io": tuple(io),
            **fields,
        }
    )


def make_marker(run: Run, alive: float = 1, state: str = "running", number: int = 0) -> Marker:
    """Return what a run told of itself so many minutes after its start.

    ``number`` makes the marker's own identity; by default no other marker has it.
    """
    known = run._replace(
        ended_at=run.started_at + timedelta(minutes=alive),
        execution=state,
        parent_span_id=None,
        message=None,
        error_type=None,
        io=tuple(io for io in run.io if io.direction == "input"),
        tests=(),
        profiles=(),
        metrics=(),
    )
    return Marker(make_span_id(number or None).span_id, known)


def split_run(run: Run, *offsets: int) -> tuple[Run, list[IoPart]]:
    """Return the run with its pointers up to the first offset, and parts that carry the rest."""
    first, *others = pairwise([0, *offsets, len(run.io)])
    parts = [
        IoPart(SpanId(run.id.trace_id, make_span_id().span_id), run.id, start, run.io[start:end])
        for start, end in others
    ]
    return run._replace(io=run.io[slice(*first)]), parts


def make_test(case: str = "testRange", status: str = "pass", **fields: Any) -> TestResult:
    """Return what a test method found."""
    return TestResult(
        **{"suite": "RangeTest", "case": case, "phase": "after", **fields}, status=status
    )


def make_profile(
    *columns: Column, variable: str = "predictions", rows: int | None = None, **fields: Any
) -> VariableProfile:
    """Return what a variable held, all of it looked at."""
    rows = max((each.count + each.nulls for each in columns), default=0) if rows is None else rows
    return VariableProfile(
        **{
            "direction": "output",
            "variable": variable,
            "pointer": None,
            "rows": rows,
            "looked_at": rows,
            "columns_left_out": 0,
            "columns": encode_columns(columns),
            "figures": msgspec.json.encode([summarise(each) for each in columns]).decode(),
            **fields,
        }
    )


def names(run: Run, direction: str) -> list[str]:
    """Return the names of the run's inputs or outputs."""
    return [io.name for io in run.io if io.direction == direction]
