"""What was found."""

from dataclasses import dataclass

from mltrace_otel.contract.api.components import Component
from mltrace_otel.contract.api.notes import Note


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What holds all words of a search, at most ``limit`` of each kind.

    Attributes:
        components: those with the words in their name or description, by name.
        pointers: names of inputs and outputs with words that begin so; the exact name comes first.
        notes: those with words that begin so, newest first.
        truncated: true if there is more: say more words.
    """

    components: list[Component]
    pointers: list[str]
    notes: list[Note]
    truncated: bool
