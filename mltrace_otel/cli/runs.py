"""Commands about component runs: what ran lately, one component's history, one run in full."""

import click

from mltrace_otel.api_client import ApiClient
from mltrace_otel.cli.question import limit_option, question
from mltrace_otel.cli.render.run_card import render_run
from mltrace_otel.cli.render.runs import render_history, render_recent
from mltrace_otel.contract.api import Run, RunPage


@click.command()
@limit_option
@question(render_recent)
def recent(api: ApiClient, limit: int) -> RunPage:
    """Show the newest runs of all components."""
    return api.list_runs(limit=limit)


@click.command()
@click.argument("name")
@limit_option
@question(render_history)
def history(api: ApiClient, name: str, limit: int) -> RunPage:
    """Show the newest runs of one component."""
    return api.list_runs(component=name, limit=limit)


@click.command()
@click.argument("run")
@question(render_run)
def inspect(api: ApiClient, run: str) -> Run:
    """Show everything about one run.

    RUN is its number, or the beginning of its span id.
    """
    return api.get_run(run)
