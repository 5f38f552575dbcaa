"""The command that records any program as a run."""

import sys

import click

from mltrace_otel.settings import set_address


@click.command()
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-i", "--input", "inputs", multiple=True, help="What it reads: a file, or a name.")
@click.option("-o", "--output", "outputs", multiple=True, help="What it writes.")
@click.option("--owner", default="", help="Who answers for the component.")
@click.option("--description", default="", help="What the component does.")
@click.option("--tag", "tags", multiple=True, help="A word to find the component by.")
@click.option("--partition", help="What part of the data this is about, e.g. a day.")
@click.option(
    "--address", help="Host of the server.  [default: as OTEL_EXPORTER_OTLP_ENDPOINT says]"
)
def run(command: tuple[str, ...], address: str | None, **said: object) -> None:
    """Run COMMAND and record it as a run of the component NAME.

    For example: mltrace run cleaning -i raw.csv -o clean.csv -- ./clean.sh --fast

    The command has this terminal, and its exit code is ours: any but 0 means that the run failed
    and wrote nothing. Files are known by their content, of inputs before the command and of outputs
    after it. The command line is recorded, so give passwords in another way. If the run cannot be
    recorded, the command runs all the same.
    """
    from mltrace_otel.cli.launch import Job, launch  # noqa: PLC0415 - questions need none of it

    if address is not None:
        set_address(address)
    sys.exit(launch(Job(command=command, **said)))  # type: ignore[arg-type] # click checked them
