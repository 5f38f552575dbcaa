"""The command about a component's tests."""

import click

from mltrace_otel.cli.question import question, runs_option
from mltrace_otel.cli.render.tests import render_tests
from mltrace_otel.contract.api import CaseHistory
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.argument("name")
@runs_option
@question(render_tests)
def tests(api: ApiClient, name: str, limit: int) -> list[CaseHistory]:
    """Show what a component's tests found in its newest runs."""
    return api.list_tests(name, limit=limit)
