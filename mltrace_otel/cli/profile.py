"""Commands about distributions: what variables of a run held, a component's metrics."""

import click

from mltrace_otel.cli.question import question, runs_option
from mltrace_otel.cli.render.profile import render_metrics, render_profiles
from mltrace_otel.contract.api import MetricHistory, RunProfile
from mltrace_otel.errors import NotFound
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("run")
@click.argument("variable", required=False)
@question(render_profiles)
def profile(api: ApiClient, run: str, variable: str | None) -> list[RunProfile]:
    """Show how what a run wrote was distributed.

    RUN is its number, or the beginning of its span id. With VARIABLE only that is shown.
    """
    found = api.list_run_profiles(run)
    if variable is None:
        return found
    known = sorted({each.variable for each in found})
    if variable not in known:
        told = f"it told of {', '.join(known)}" if known else "it told of none"
        raise NotFound(f"Run {run} told of no distribution of {variable!r}: {told}.")
    return [each for each in found if each.variable == variable]


@click.command()
@click.argument("name")
@click.argument("metric", required=False)
@runs_option
@question(render_metrics)
def metrics(api: ApiClient, name: str, metric: str | None, limit: int) -> list[MetricHistory]:
    """Show the numbers that a component's newest runs logged or gave."""
    return api.list_metrics(name, metric=metric, limit=limit)
