"""The command about what somebody should look at now."""

import click

from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.alerts import render_alerts
from mltrace_otel.contract.api import Alert
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.option("--owner", help="Only alerts about components of this owner.")
@question(render_alerts)
def alerts(api: ApiClient, owner: str | None) -> list[Alert]:
    """Show what fires now: failed tests and runs, stale and silent components, drift.

    The same alerts as in Prometheus, which it does not need. The exit code is 0 whether any fires
    or none; with --json a program can count them.
    """
    return api.list_alerts(owner=owner)
