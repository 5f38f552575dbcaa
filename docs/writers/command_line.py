"""The page about the command line."""

from collections.abc import Iterator

import click

from mltrace_otel.cli.main import mltrace

_WIDTH = 88

_CLI = """\
# Command line

<!-- Written by docs/generate.py from the commands themselves: change them there. -->

`mltrace` asks the exporter over HTTP, and starts it. Where the exporter is, is told by `--address`,
else by [MLTRACE_ADDRESS](settings.md), else it is `http://127.0.0.1:8080`. With `--json` a command
prints what the HTTP API answered.

| exit code | meaning |
| --- | --- |
| 0 | the question was answered |
| 1 | what was asked for is not recorded |
| 2 | the command, its options or the settings are wrong |
| 3 | the server cannot be reached, or failed |
"""


def render_cli() -> str:
    """Return the page about the command line."""
    return "\n".join([_CLI, *(_render_command(command) for command in _find_commands())])


def _find_commands() -> Iterator[click.Context]:
    program = click.Context(
        mltrace, info_name="mltrace", terminal_width=_WIDTH, **mltrace.context_settings
    )
    yield from _find_commands_of(mltrace, program)


def _find_commands_of(group: click.Group, context: click.Context) -> Iterator[click.Context]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command:
            inner = click.Context(command, context, info_name=name, terminal_width=_WIDTH)
            yield inner
            if isinstance(command, click.Group):
                yield from _find_commands_of(command, inner)


def _render_command(context: click.Context, level: int = 2) -> str:
    text = f"```text\n{context.command.get_help(context)}\n```\n"
    parts = [f"{'#' * level} {context.command_path}\n\n{text}"]
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            inner = click.Context(command, context, info_name=name, terminal_width=_WIDTH)
            parts.append(_render_command(inner, level + 1))
    return "\n".join(parts)
