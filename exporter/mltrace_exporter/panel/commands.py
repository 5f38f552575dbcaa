"""The command bar's language, pure: a line comes in, a command and its arguments go out."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from mltrace_exporter.errors import MalformedRequest


class Takes(StrEnum):
    """What the argument of a command names."""

    NOTHING = ""
    COMPONENT = "NAME"
    RUN = "ID"
    OUTPUT = "OUTPUT"
    FLAGGED = "FLAGGED OUTPUT"
    TAG = "TAG"
    WORDS = "WORDS"


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its word, what it takes, what it does, and whether that changes anything."""

    word: str
    takes: Takes
    meaning: str
    writes: bool = False

    @property
    def usage(self) -> str:
        """How it is written: ``history NAME [N]``."""
        argument = {Takes.COMPONENT: "NAME [N]", Takes.FLAGGED: "OUTPUT"}.get(self.takes)
        return f"{self.word} {argument or self.takes}".strip()


COMMANDS = (
    Command("recent", Takes.NOTHING, "the newest runs of all components"),
    Command("history", Takes.COMPONENT, "the newest runs of a component, N of them"),
    Command("inspect", Takes.RUN, "everything about a run"),
    Command("output", Takes.OUTPUT, "who wrote and who read an output, and its flags"),
    Command("trace", Takes.OUTPUT, "every run that led to an output"),
    Command("impact", Takes.OUTPUT, "every run that was made from an output"),
    Command("tag", Takes.TAG, "the components that carry a tag"),
    Command("flag", Takes.OUTPUT, "mark an output as wrong", writes=True),
    Command("unflag", Takes.FLAGGED, "resolve the flag of an output", writes=True),
    Command("review", Takes.NOTHING, "the runs that flagged outputs have in common"),
    Command("flags", Takes.NOTHING, "flagged outputs"),
    Command("tests", Takes.NOTHING, "what the tests of all components found last"),
    Command("components", Takes.NOTHING, "all components"),
    Command("search", Takes.WORDS, "components, outputs and notes"),
    Command("status", Takes.NOTHING, "how the exporter is, and what fires"),
    Command("help", Takes.NOTHING, "these commands"),
)
READING_COMMANDS = tuple(command for command in COMMANDS if not command.writes)
_BY_WORD = {command.word: command for command in COMMANDS}
_SHORTEST_TYPO, _LIKE = 3, 0.74


@dataclass(frozen=True, slots=True)
class Order:
    """What a line asks for.

    Attributes:
        command: what to do.
        argument: what with; empty for a command that takes nothing.
        amount: how many runs; None where it was not said.
    """

    command: Command
    argument: str
    amount: int | None = None


def parse_line(line: str) -> Order:
    """Return what a line asks for; one that begins with no command is a search.

    An argument is all that follows the command, so that names may hold spaces; quotation marks
    around it are left out.

    Raises:
        MalformedRequest: something is missing, too much, or looks like a misspelt command.
    """
    word, _, rest = line.strip().partition(" ")
    command = _BY_WORD.get(word.lower())
    if command is None:
        return _search(line.strip(), word)
    argument, amount = (
        _split_amount(rest.strip()) if command.takes is Takes.COMPONENT else (rest.strip(), None)
    )
    argument = _unquote(argument)
    if command.takes and not argument:
        raise MalformedRequest(f"Say more: {command.usage}")
    if not command.takes and argument:
        raise MalformedRequest(f"{command.word} takes nothing: leave out {argument!r}.")
    return Order(command, argument, amount)


def _search(line: str, word: str) -> Order:
    if not line:
        raise MalformedRequest("Type a command, a name or a word; help lists the commands.")
    near = get_close_matches(word.lower(), _BY_WORD, 1, _LIKE) if len(word) > _SHORTEST_TYPO else []
    if near:
        raise MalformedRequest(
            f"There is no command {word!r}. Did you mean {near[0]}? To look for the word: "
            f"search {line}"
        )
    return Order(_BY_WORD["search"], line)


def _split_amount(rest: str) -> tuple[str, int | None]:
    name, _, last = rest.rpartition(" ")
    if name and last.isascii() and last.isdigit() and int(last):
        return name.strip(), int(last)
    return rest, None


def _unquote(argument: str) -> str:
    if len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "\"'":
        return argument[1:-1]
    return argument
