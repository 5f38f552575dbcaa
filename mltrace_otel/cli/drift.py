"""The command about drift."""

import click

from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.drift import render_drift
from mltrace_otel.contract.api import DEFAULT_REFERENCE, Drift
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("run")
@click.option(
    "--reference",
    default=DEFAULT_REFERENCE,
    show_default=True,
    help="What it is compared with: previous, last:N runs, run:ID, or built-on.",
)
@question(render_drift)
def drift(api: ApiClient, run: str, reference: str) -> Drift:
    """Show how what a run held differs from earlier runs.

    RUN is its number, or the beginning of its span id. With `--reference built-on` the data that it
    worked on is compared with what its model, or any other run it depends on, was built on.
    """
    return api.tell_drift(run, reference=reference)
