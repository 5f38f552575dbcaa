"""The program `mltrace`: its commands, and the table that turns errors into exit codes.

The server's commands are found by entry point and loaded when called, so that the questions need
no server package and `mltrace --help` is quick.
"""

import io
import sys
from importlib.metadata import EntryPoint, entry_points

import click

from mltrace_otel.cli.alerts import alerts
from mltrace_otel.cli.comparison import compare
from mltrace_otel.cli.components import components, tag, tags
from mltrace_otel.cli.drift import drift
from mltrace_otel.cli.flags import flag, review, unflag
from mltrace_otel.cli.lineage import impact, trace
from mltrace_otel.cli.profile import metrics, profile
from mltrace_otel.cli.render.words import printable
from mltrace_otel.cli.run import run
from mltrace_otel.cli.runs import history, inspect, notes, recent
from mltrace_otel.cli.search import search
from mltrace_otel.cli.spool import spool
from mltrace_otel.cli.tests import tests
from mltrace_otel.errors import (
    MltraceError,
    NotFound,
    ServerFailed,
    ServerUnreachable,
    SettingsError,
)

NOT_FOUND, WRONG_USAGE, UNREACHABLE = 1, 2, 3
_EXIT_CODES: dict[type[MltraceError], int] = {
    NotFound: NOT_FOUND,
    ServerUnreachable: UNREACHABLE,
    ServerFailed: UNREACHABLE,
}

_SECTIONS = {
    "Questions": (
        recent,
        history,
        inspect,
        compare,
        alerts,
        tests,
        profile,
        metrics,
        drift,
        trace,
        impact,
        search,
        components,
        tags,
        tag,
    ),
    "Runs": (run, notes),
    "Wrong outputs": (flag, review, unflag),
    "This machine": (spool,),
}
_SERVER_HELP = {
    "up": "Start everything on this machine, with a private database.",
    "serve": "Start the server on a database of yours.",
    "demo": "Run an example pipeline with a fault to find.",
    "db": "Upgrade, check or prune the database.",
    "grafana": "Bring dashboards and marks into a Grafana.",
}


class Program(click.Group):
    """A group whose help names the server's commands without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return [*super().list_commands(ctx), *_find_server_commands()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loading the server if it is one of its own."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        entry = _find_server_commands().get(cmd_name)
        return None if entry is None else _load(entry)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section."""
        del ctx
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(c.name or "", c.get_short_help_str(70)) for c in commands])
        with formatter.section("Server"):
            names = _find_server_commands()
            formatter.write_dl([(name, _SERVER_HELP.get(name, "")) for name in names])


def _find_server_commands() -> dict[str, EntryPoint]:
    entries = {entry.name: entry for entry in entry_points(group="mltrace_otel.commands")}
    order = [*_SERVER_HELP, *sorted(entries)]
    return {name: entries[name] for name in dict.fromkeys(order) if name in entries}


def _load(entry: EntryPoint) -> click.Command:
    try:
        command: click.Command = entry.load()
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"`mltrace {entry.name}` needs packages that are not installed ({error.name}): "
            "pip install 'mltrace-otel[server]'"
        ) from error
    return command


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mltrace-otel", prog_name="mltrace")
def mltrace() -> None:
    """Ask what ML pipelines did: what made an output, is it stale, what do bad outputs share."""


for _commands in _SECTIONS.values():
    for _command in _commands:
        mltrace.add_command(_command)


def main() -> None:
    """Run the program; errors end it with one sentence and an exit code."""
    # A terminal that cannot show a character shows a question mark.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        mltrace()
    except MltraceError as error:
        click.echo(f"mltrace: {printable(str(error))}", err=True)
        sys.exit(_EXIT_CODES.get(type(error), WRONG_USAGE))
