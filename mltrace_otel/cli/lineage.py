"""The command that shows where an output comes from."""

import click

from mltrace_otel.api_client import ApiClient
from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.lineage import render_trace
from mltrace_otel.contract.api import Trace


@click.command()
@click.argument("output")
@question(render_trace)
def trace(api: ApiClient, output: str) -> Trace:
    """Show the runs that led to OUTPUT, nearest first."""
    return api.trace_output(output)
