"""What all commands that ask the server share: its address, and how the answer is printed."""

import functools
import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec
from rich.console import Console, RenderableType

from mltrace_otel.questions.api_client import ApiClient
from mltrace_otel.settings import read_settings

_Shape = TypeVar("_Shape")

limit_option = click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="How many to show, at most.",
)

runs_option = click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many runs to look at.",
)


def question(
    render: Callable[[_Shape, datetime], RenderableType],
) -> Callable[[Callable[..., _Shape]], Callable[..., None]]:
    """Make a function that asks the API, which is its first argument, a command's callback.

    Args:
        render: turns the answer's shape, and the time it is, into what a terminal shows.
    """

    def decorate(ask: Callable[..., _Shape]) -> Callable[..., None]:
        @click.option(
            "--address", help="Server to ask: host, host:port or URL.  [default: $MLTRACE_ADDRESS]"
        )
        @click.option("--json", "as_json", is_flag=True, help="Print the API's JSON.")
        @functools.wraps(ask)
        def answer(*, address: str | None, as_json: bool, **asked: object) -> None:
            with ApiClient(_url(address)) as api:
                shape = ask(api, **asked)
            if as_json:
                click.echo(msgspec.json.format(msgspec.json.encode(shape), indent=2))
            else:
                show(render(shape, datetime.now(UTC)))

        return answer

    return decorate


def find_user() -> str | None:
    """Return the name of who asks; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def show(content: RenderableType) -> None:
    """Print for people. Nothing of the content is taken for markup."""
    Console(markup=False, highlight=False, emoji=False).print(content)


def _url(address: str | None) -> str:
    environment = None if address is None else {"MLTRACE_ADDRESS": address}
    return read_settings(environment).api_url
