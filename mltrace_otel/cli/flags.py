"""Commands about wrong outputs: flag them, review what they have in common, resolve the flags."""

import sys
from collections.abc import Iterator

import click

from mltrace_otel.cli.question import find_user, limit_option, question
from mltrace_otel.cli.render.flags import render_flagged, render_review, render_unflagged
from mltrace_otel.contract.api import (
    FlagChange,
    FlagRequest,
    Review,
    ReviewSort,
    Severity,
    UnflagRequest,
)
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("outputs", nargs=-1, required=True)
@click.option("--reason", help="What is wrong with them.")
@click.option(
    "--severity", type=click.Choice(Severity, case_sensitive=False), help="How bad that is."
)
@question(render_flagged)
def flag(
    api: ApiClient, outputs: tuple[str, ...], reason: str | None, severity: Severity | None
) -> FlagChange:
    """Flag outputs that are wrong.

    OUTPUTS are their names; - reads names from standard input, one a line.
    """
    request = FlagRequest(_names(outputs), reason, find_user(), severity)
    return api.flag_outputs(request)


@click.command()
@click.argument("outputs", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Resolve every flag.")
@click.option("--resolution", help="What was found or done.")
@question(render_unflagged)
def unflag(
    api: ApiClient, outputs: tuple[str, ...], *, every: bool, resolution: str | None
) -> FlagChange:
    """Resolve the flags of outputs, or all flags.

    OUTPUTS are their names; - reads names from standard input, one a line. Flags stay as history.
    """
    if bool(outputs) == every:
        raise click.UsageError("Name the outputs to unflag, or say --all.")
    names = [] if every else _names(outputs)
    return api.resolve_flags(UnflagRequest(names, all=every, resolution=resolution, by=find_user()))


@click.command()
@limit_option
@click.option(
    "--sort",
    type=click.Choice(ReviewSort, case_sensitive=False),
    default=ReviewSort.COVERAGE,
    show_default=ReviewSort.COVERAGE.value,
    help="What comes first: runs behind most flagged outputs, or behind few good ones as well.",
)
@question(render_review)
def review(api: ApiClient, limit: int, sort: ReviewSort) -> Review:
    """Rank the runs that the flagged outputs have in common."""
    return api.review_flags(sort=sort, limit=limit)


def _names(arguments: tuple[str, ...]) -> list[str]:
    names = list(dict.fromkeys(_read(arguments)))
    if not names:
        raise click.UsageError("Standard input names no output.")
    return names


def _read(arguments: tuple[str, ...]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            lines = (line.rstrip("\r\n") for line in sys.stdin)
            yield from filter(None, lines)
        else:
            yield argument
