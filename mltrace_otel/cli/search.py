"""The command that finds things by words."""

import click

from mltrace_otel.cli.question import limit_option, question
from mltrace_otel.cli.render.search import render_found
from mltrace_otel.contract.api import SearchAnswer
from mltrace_otel.errors import NotFound
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("words", nargs=-1, required=True)
@limit_option
@question(render_found)
def search(api: ApiClient, words: tuple[str, ...], limit: int) -> SearchAnswer:
    """Find components, inputs and outputs, and notes.

    WORDS are looked for in components and notes. Names of inputs and outputs are found by how they,
    or the last parts of their paths, begin.
    """
    text = " ".join(words)
    found = api.search(text, limit=limit)
    if not (found.components or found.pointers or found.notes):
        raise NotFound(f"Nothing that is recorded is found by {text!r}.")
    return found
