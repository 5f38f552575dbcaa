"""What a line in the command bar could become, as somebody types it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from mltrace_exporter.panel.commands import COMMANDS, Command, Takes
from mltrace_exporter.panel.formats import shorten
from mltrace_exporter.queries import components, flags, runs
from mltrace_exporter.queries.search import search_components, search_pointers

LIMIT = 8
_RECENT = 6
_EACH = 4
_HINT_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Completion:
    """A line that could be meant.

    Attributes:
        line: what the command bar would hold.
        hint: what it is.
        is_whole: False if something has to follow.
    """

    line: str
    hint: str
    is_whole: bool = True


def complete_line(
    connection: sa.Connection, line: str, commands: Sequence[Command] = COMMANDS
) -> list[Completion]:
    """Return what a line could become, the most likely first, at most ``LIMIT``."""
    word, space, rest = line.lstrip().partition(" ")
    command = next((one for one in commands if one.word == word.lower()), None)
    if command and space:
        names = _COMPLETERS.get(command.takes, _nothing)(connection, rest.strip())
        found: Iterator[Completion] = (
            Completion(f"{command.word} {name}", hint) for name, hint in names
        )
    else:
        found = _complete_anything(connection, line.strip(), commands)
    return list(islice(found, LIMIT))


def _complete_anything(
    connection: sa.Connection, text: str, commands: Sequence[Command]
) -> Iterator[Completion]:
    for command in commands:
        if command.word.startswith(text.lower()):
            yield _complete_command(command)
    if not text:
        return
    for component in search_components(connection, text, limit=_EACH):
        yield Completion(f"history {component.name}", "component")
    for name in search_pointers(connection, text, limit=_EACH):
        yield Completion(f"output {name}", "input or output")
    yield Completion(f"search {text}", "all that holds these words")


def _complete_command(command: Command) -> Completion:
    line = f"{command.word} " if command.takes else command.word
    return Completion(line, command.meaning, is_whole=not command.takes)


Names = Iterator[tuple[str, str]]


def _nothing(_connection: sa.Connection, _text: str) -> Names:
    yield from ()


def _find_components(connection: sa.Connection, text: str) -> Names:
    if text:
        found = sorted(
            search_components(connection, text, limit=LIMIT),
            key=lambda one: not one.name.lower().startswith(text.lower()),
        )
    else:
        found = components.list_components(connection, limit=LIMIT)
    for component in found:
        yield component.name, shorten(component.description or "", _HINT_LENGTH)


def _find_outputs(connection: sa.Connection, text: str) -> Names:
    if text:
        yield from ((name, "") for name in search_pointers(connection, text, limit=LIMIT))
        return
    for run in runs.list_runs(connection, limit=_RECENT).items:
        yield from ((name, f"{run.component} {run.id}") for name in run.outputs[:2])


def _find_flagged(connection: sa.Connection, text: str) -> Names:
    for flag in flags.list_flags(connection):
        if text.lower() in flag.output.lower():
            yield flag.output, shorten(flag.reason or "", _HINT_LENGTH)


def _find_runs(connection: sa.Connection, text: str) -> Names:
    if not text:
        for run in runs.list_runs(connection, limit=LIMIT).items:
            yield str(run.id), run.component


def _find_tags(connection: sa.Connection, text: str) -> Names:
    for tag in components.list_tags(connection):
        if tag.name.lower().startswith(text.lower()):
            yield tag.name, ""


_COMPLETERS: dict[Takes, Callable[[sa.Connection, str], Names]] = {
    Takes.COMPONENT: _find_components,
    Takes.RUN: _find_runs,
    Takes.OUTPUT: _find_outputs,
    Takes.FLAGGED: _find_flagged,
    Takes.TAG: _find_tags,
    Takes.WORDS: _find_outputs,
}
