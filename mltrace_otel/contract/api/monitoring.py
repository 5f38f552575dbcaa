"""What is known of a component's runs over time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test ended in one run.

    Attributes:
        run_id: the run.
        started_at: when the run began.
        status: ``pass``, ``fail``, ``error`` or ``skip``.
        message: what was found, or why the test was skipped.
        duration_s: how long the test took, in seconds.
    """

    run_id: int
    started_at: datetime
    status: str
    message: str | None
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """What one test of a component found, in its newest run and in those before.

    Attributes:
        suite: name of the Test.
        case: name of its method.
        phase: ``before`` or ``after`` the function.
        trials: how it ended, newest first; never empty.
    """

    suite: str
    case: str
    phase: str
    trials: list[Trial]
