"""Flagged outputs."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FlagState(StrEnum):
    """Which flags are asked for."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"


class Severity(StrEnum):
    """How bad an output is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark on an output that somebody found wrong. It is kept after it is resolved."""

    id: int
    output: str
    run_id: int | None
    """The run that had written the output when it was flagged; None if no run wrote it."""
    flagged_by: str | None
    flagged_at: datetime
    reason: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class FlagRequest:
    """Body of ``POST /api/flags``."""

    outputs: list[str]
    reason: str | None = None
    by: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class UnflagRequest:
    """Body of ``POST /api/flags/resolve``. Without ``outputs``, ``all`` must be true."""

    outputs: list[str] = field(default_factory=list)
    all: bool = False
    resolution: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What a flag or unflag request did."""

    changed: list[Flag]
    unchanged: list[str]
    """Outputs that already were as asked."""


FLAG_LIMIT = 1000
