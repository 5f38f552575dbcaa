"""The command that compares two runs."""

import click

from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.comparison import render_comparison
from mltrace_otel.contract.api import Comparison
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("run")
@click.argument("later", metavar="[RUN]", required=False)
@question(render_comparison)
def compare(api: ApiClient, run: str, later: str | None) -> Comparison:
    """Show what changed from one run to another.

    RUN is a number, or the beginning of a span id. Of one alone it is shown what changed since its
    component's run before.
    """
    return api.list_changes(run) if later is None else api.list_changes(later, since=run)
