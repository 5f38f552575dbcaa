"""Writes the reference pages that come from the code: the wire format and the command line.

`make docs` runs it; a test fails while a page is not what this would write.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from mltrace_otel.cli.main import mltrace
from mltrace_otel.contract.attributes import ATTRIBUTES, TEST_EVENT, Place

_REFERENCE = Path(__file__).parent / "reference"
_WIDTH = 88

_WIRE_FORMAT = f"""\
# Wire format

<!-- Written by docs/generate.py from mltrace_otel/contract/attributes.py: change it there. -->

A component run is one OpenTelemetry span. Any SDK in any language may emit it, over OTLP. Names
that OpenTelemetry's semantic conventions define are used as they are; the others begin with
`mltrace.`.

- A span is a component run if it has `mltrace.component.name` and has no `mltrace.record`. Every
  other span is ignored.
- The span's start and end are the run's. Status ERROR means that the run failed; the standard
  `exception` event says how.
- Each **link** that has `mltrace.io.direction` names one or more inputs or outputs. The link's own
  context is the span of the run that produced them where the sender knows it; otherwise it is the
  context of the span that carries the link.
- Each **event** named `{TEST_EVENT}` is the outcome of one test.
- A span is known by its trace id and span id: sending it twice changes nothing.
- An attribute of another type than declared here is kept among the run's other attributes and
  otherwise has no effect.
"""

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


def render_wire_format() -> str:
    """Return the page about the wire format."""
    return "\n".join([_WIRE_FORMAT, *(_render_place(place) for place in Place)])


def render_cli() -> str:
    """Return the page about the command line."""
    return "\n".join([_CLI, *(_render_command(command) for command in _find_commands())])


PAGES: dict[Path, Callable[[], str]] = {
    _REFERENCE / "wire-format.md": render_wire_format,
    _REFERENCE / "cli.md": render_cli,
}


def _render_place(place: Place) -> str:
    rows = [
        f"| `{each.key}` | {each.type}{', required' if each.required else ''} | {each.meaning} |"
        for each in ATTRIBUTES
        if each.place is place
    ]
    title = str(place)[0].upper() + str(place)[1:]
    return "\n".join(
        [f"## {title}", "", "| attribute | type | meaning |", "| --- | --- | --- |", *rows, ""]
    )


def _find_commands() -> Iterator[click.Context]:
    program = click.Context(
        mltrace, info_name="mltrace", terminal_width=_WIDTH, **mltrace.context_settings
    )
    for name in mltrace.list_commands(program):
        command = mltrace.get_command(program, name)
        if command:
            yield click.Context(command, program, info_name=name, terminal_width=_WIDTH)


def _render_command(context: click.Context) -> str:
    help_text = context.command.get_help(context)
    return f"## {context.command_path}\n\n```text\n{help_text}\n```\n"


if __name__ == "__main__":
    for _path, _render in PAGES.items():
        _path.write_text(_render())
