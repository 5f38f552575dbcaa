"""What tests found: the one shape of the HTTP API that a user's program needs, too.

It stands apart because making the others takes a third of the client's time to be imported.
"""

from dataclasses import dataclass
from enum import StrEnum


class TestStatus(StrEnum):
    """How a test ended: ``error`` could not be run, ``skip`` did not apply."""

    __test__ = False  # it is no test of this repository

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What one test method found."""

    suite: str
    case: str
    phase: str
    status: str
    message: str | None
    duration_s: float | None
