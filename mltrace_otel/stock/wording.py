"""Numbers in the sentences of stock tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from mltrace_otel.datatests import Finding
from mltrace_otel.stock.columns import Column, Kind, Numbers

_SENTENCES_SHOWN = 5


def count_of(part: int, whole: int, noun: str) -> str:
    """Return e.g. ``3 of 1,200 values``."""
    return f"{part:,} of {whole:,} {noun}{'' if whole == 1 else 's'}"


def number(value: float) -> str:
    """Return a number with six digits at most, thousands apart."""
    if value == int(value) if abs(value) < 1e15 else False:  # noqa: PLR2004 - what a float holds
        return f"{int(value):,}"
    return f"{value:.6g}"


def reading(column: Column, value: float) -> str:
    """Return a number of a column as people read it."""
    if column.kind is Kind.DATETIME:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}"
    return number(value)


def duration(length: timedelta) -> str:
    """Return a duration, in days if it lasts two or longer."""
    seconds = length.total_seconds()
    for unit, unit_s in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return f"{seconds:.3g} s"


def of(column: Column) -> str:
    """Return ``of`` and a column's name, and nothing where there is only one."""
    return f" of {column.name}" if column.name else ""


def describe_outside(column: Column, outside: Numbers, bounds: tuple[float, float]) -> str:
    """Return how many of a column's values lie outside of bounds, and how far."""
    least, most = (reading(column, bound) if np.isfinite(bound) else "" for bound in bounds)
    allowed = f"{least} to {most}" if least and most else least or most
    where = "outside" if least and most else ("below" if least else "above")
    found = f"{count_of(len(outside), column.rows, 'value')}{of(column)}"
    low, high = reading(column, outside.min()), reading(column, outside.max())
    spread = low if low == high else f"from {low} to {high}"
    return f"{found} {'lies' if len(outside) == 1 else 'lie'} {where} {allowed}: {spread}."


def fail_with(sentences: Iterable[str]) -> None:
    """Fail a test if there is anything to say.

    Raises:
        Finding: there is.
    """
    said = list(sentences)
    if said:
        hidden = len(said) - _SENTENCES_SHOWN
        more = [f"The same holds for {hidden:,} more."] if hidden > 0 else []
        raise Finding(" ".join([*said[:_SENTENCES_SHOWN], *more]))
