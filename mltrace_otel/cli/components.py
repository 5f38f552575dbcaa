"""Commands about components and their tags."""

import click

from mltrace_otel.cli.question import question
from mltrace_otel.cli.render.components import render_components, render_tags
from mltrace_otel.contract.api import Component, Tag
from mltrace_otel.errors import NotFound
from mltrace_otel.questions.api_client import ApiClient


@click.command()
@click.option("--tag", "tag_name", help="Only components that carry this tag.")
@click.option("--owner", help="Only components of this owner.")
@question(render_components)
def components(api: ApiClient, tag_name: str | None, owner: str | None) -> list[Component]:
    """List the components."""
    found = api.list_components(tag=tag_name, owner=owner)
    if not found and (tag_name, owner) != (None, None):
        tagged = "" if tag_name is None else f" with the tag {tag_name!r}"
        owned = "" if owner is None else f" of {owner!r}"
        raise NotFound(f"There is no component{tagged}{owned}; `mltrace components` lists all.")
    return found


@click.command()
@question(render_tags)
def tags(api: ApiClient) -> list[Tag]:
    """List the tags that components carry."""
    return api.list_tags()


@click.command()
@click.argument("name")
@question(render_components)
def tag(api: ApiClient, name: str) -> list[Component]:
    """List the components that carry a tag."""
    return api.list_tagged(name)
