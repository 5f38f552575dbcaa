"""What a server said to a request: a verdict, with the server's words."""

from dataclasses import dataclass
from enum import Enum, auto


class Verdict(Enum):
    """What became of a request.

    It was DELIVERED; POSTPONED, because the server cannot take it now; BLOCKED until somebody
    changes settings, of ours or of the server's; REFUSED for good.
    """

    DELIVERED = auto()
    POSTPONED = auto()
    BLOCKED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, the server's words, and how long it asks to wait before the next try.

    Words with a delivery tell of spans that the server did not take.
    """

    verdict: Verdict
    message: str = ""
    retry_after_s: float | None = None
