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
    """Show what changed from one run to another; of one alone, since the run before.

    RUN is a number, or the beginning of a span id. The runs may be of any components; the run
    before is of the same one.
    """
    return api.list_changes(run) if later is None else api.list_changes(later, since=run)
