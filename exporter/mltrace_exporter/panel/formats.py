"""Values to the words a page shows: pure functions, each a template filter of the same name."""

import json
import math
from datetime import datetime, timedelta

# Control characters become their pictures; characters that reorder the text around them, a mark.
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_UNSEEN = {code: 0x2400 + code for code in range(32)} | {127: 0x2421} | dict.fromkeys(_BIDI, 0xFFFD)
_AGES = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
# Below so many seconds: factor, unit, digits. The limits are where rounding reaches the next unit.
_SHORT_DURATIONS = ((1e-3, 1e6, "µs", 0), (0.9995, 1e3, "ms", 0), (59.95, 1, "s", 1))
_SIZES = ((1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB"))
_TEN = 9.95
_ONE_PERCENT = 0.01
_NOTHING = "\N{EN DASH}"


def ago(moment: datetime, now: datetime) -> str:
    """Say how long before ``now`` a moment was: "3 minutes ago"."""
    age = now - moment
    if age < timedelta(seconds=-5):
        return "in the future"
    for unit, name in _AGES:
        if age >= unit:
            return f"{count(age // unit, name)} ago"
    return "just now" if age < timedelta(seconds=5) else f"{int(age.total_seconds())} seconds ago"


def exact(moment: datetime) -> str:
    """Write a moment to the second: "2026-07-01 12:00:03 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float | None) -> str:
    """Write a duration with about three digits: "840 µs", "12 ms", "3.4 s", "2 min 5 s"."""
    if seconds is None:
        return _NOTHING
    for limit_s, factor, unit, digits in _SHORT_DURATIONS:
        if seconds < limit_s:
            return f"{seconds * factor:.{digits}f} {unit}"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest_s, "s")]
    first = next(at for at, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)


def lag(seconds: float) -> str:
    """Write how old what a replica shows may be: "up to date", "at most 3.4 s old"."""
    if math.isinf(seconds):
        return "of unknown age"
    return f"at most {duration(seconds)} old" if seconds else "up to date"


def size(size_bytes: int | None) -> str:
    """Write a size in decimal units: "1.2 MB"."""
    if size_bytes is None:
        return _NOTHING
    factor, unit = next((step for step in reversed(_SIZES) if size_bytes >= step[0]), (1, "B"))
    amount = size_bytes / factor
    return f"{amount:.1f} {unit}" if factor > 1 and amount < _TEN else f"{amount:,.0f} {unit}"


def percent(share: float) -> str:
    """Write a share of 0 to 1 as a percentage that is 0 % or 100 % only if it is exactly that."""
    if 0 < share < _ONE_PERCENT:
        return "< 1 %"
    return f"{min(round(share * 100), 99) if share < 1 else 100} %"


def count(amount: int, noun: str) -> str:
    """Write an amount with its noun: "1 run", "1,200 runs"."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def number(amount: int) -> str:
    """Write a whole number with separated thousands: "1,200"."""
    return f"{amount:,}"


def visible(name: str) -> str:
    """Make a name show what it is: control characters, what would reorder it, emptiness."""
    # Nothing to be translated is printable, and asking for that is quicker.
    return (name if name.isprintable() else name.translate(_UNSEEN)) or "(empty name)"


def shorten(name: str, limit: int = 48) -> str:
    """Make a name visible and cut out its middle where it is longer than ``limit`` characters."""
    name = visible(name)
    if len(name) <= limit:
        return name
    tail = limit * 3 // 5
    return f"{name[: limit - tail - 1]}…{name[-tail:]}"


def commit(git_hash: str) -> str:
    """Shorten a commit's hash as git does."""
    return git_hash[:8]


def plain(value: object) -> str:
    """Write an attribute's value: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
