"""Commands about lineage: where an output comes from, and what was made from it."""

from collections.abc import Callable
from datetime import datetime
from typing import Unpack

import click
from rich.console import RenderableType

from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.collapsed import render_collapsed
from mltrace_otel.cli.render.lineage import render_impact, render_trace
from mltrace_otel.contract.api import LARGEST_TRACE, TRACE_LIMIT, ComponentTrace, Trace
from mltrace_otel.questions.api_client import ApiClient, Reach

Lineage = Trace | ComponentTrace


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option(
                "--depth", type=click.IntRange(0, 10_000), help="How many steps away, at most."
            ),
            click.option(
                "--limit",
                type=click.IntRange(1, LARGEST_TRACE),
                default=TRACE_LIMIT,
                show_default=True,
                help="How many runs, at most: the nearest.",
            ),
            click.option(
                "--by-component", is_flag=True, help="Take the runs of a component together."
            ),
        )
    ):
        command = option(command)
    return command


def _render_upstream(found: Lineage, now: datetime) -> RenderableType:
    if isinstance(found, ComponentTrace):
        return render_collapsed(found, "upstream")
    return render_trace(found, now)


def _render_downstream(found: Lineage, now: datetime) -> RenderableType:
    if isinstance(found, ComponentTrace):
        return render_collapsed(found, "downstream")
    return render_impact(found, now)


@click.command()
@click.argument("output")
@_options
@question(_render_upstream)
def trace(api: ApiClient, output: str, *, by_component: bool, **reach: Unpack[Reach]) -> Lineage:
    """Show the runs that led to OUTPUT, nearest first."""
    if by_component:
        return api.trace_components(output, **reach)
    return api.trace_output(output, **reach)


@click.command()
@click.argument("output")
@_options
@question(_render_downstream)
def impact(api: ApiClient, output: str, *, by_component: bool, **reach: Unpack[Reach]) -> Lineage:
    """Show the runs that were made from OUTPUT, nearest first."""
    if by_component:
        return api.impact_components(output, **reach)
    return api.impact_output(output, **reach)
