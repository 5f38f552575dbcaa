"""What tests found: the one shape of the HTTP API that a user's program needs, too.

It stands apart because making the others takes a third of the client's time to be imported.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What one test method found."""

    suite: str
    case: str
    phase: str
    status: str
    message: str | None
    duration_s: float | None
