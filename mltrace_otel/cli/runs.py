"""Commands about component runs: what ran lately, one component's history, one run, its notes."""

from collections.abc import Callable
from typing import Unpack

import click

from mltrace_otel.cli.moments import Moment
from mltrace_otel.cli.question import find_user, limit_option, question
from mltrace_otel.cli.render.notes import render_notes
from mltrace_otel.cli.render.run_card import render_run
from mltrace_otel.cli.render.runs import render_history, render_recent
from mltrace_otel.contract.api import NotePage, NoteRequest, Run, RunPage, RunStatus
from mltrace_otel.questions.api_client import ApiClient, Selected


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option(
                "--status",
                type=click.Choice([str(status) for status in RunStatus]),
                help="Only runs that ended so, or whose tests failed.",
            ),
            click.option("--partition", help="Only runs about this part of the data."),
            click.option("--flagged", is_flag=True, help="Only runs with a flagged output."),
            click.option(
                "--since", type=Moment(), help="Only runs since: 2026-01-31, 12h or 7d ago."
            ),
            click.option("--until", type=Moment(), help="Only runs that began before."),
        )
    ):
        command = option(command)
    return command


@click.command()
@limit_option
@click.option("--owner", help="Only runs of components of this owner.")
@click.option("--tag", help="Only runs of components with this tag.")
@_filters
@question(render_recent)
def recent(api: ApiClient, limit: int, **selected: Unpack[Selected]) -> RunPage:
    """Show the newest runs of all components."""
    return api.list_runs(limit=limit, **selected)


@click.command()
@click.argument("component", metavar="NAME")
@limit_option
@_filters
@question(render_history)
def history(api: ApiClient, limit: int, **selected: Unpack[Selected]) -> RunPage:
    """Show the newest runs of one component."""
    return api.list_runs(limit=limit, **selected)


@click.command()
@click.argument("run")
@question(render_run)
def inspect(api: ApiClient, run: str) -> Run:
    """Show everything about one run.

    RUN is its number, or the beginning of its span id.
    """
    return api.get_run(run)


@click.command()
@click.argument("run")
@click.argument("text", required=False)
@limit_option
@question(render_notes)
def notes(api: ApiClient, run: str, text: str | None, limit: int) -> NotePage:
    """Show the notes about one run, or write one.

    RUN is its number, or the beginning of its span id. With TEXT, that is kept as the newest note.
    """
    if text is not None:
        if not text.strip():
            raise click.UsageError("The note says nothing.")
        api.write_note(run, NoteRequest(text, find_user()))
    return api.list_notes(run, limit=limit)
