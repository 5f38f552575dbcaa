"""Commands about runs that wait on this machine: what waits and why, and sending it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import click
import msgspec

from mltrace_otel.cli.question import show
from mltrace_otel.cli.render.spool import Sent, render_sent, render_status
from mltrace_otel.delivery.answer import Verdict
from mltrace_otel.delivery.courier import Courier, Outcome, Patience, deliver_left
from mltrace_otel.delivery.spool import Spool
from mltrace_otel.delivery.survey import Survey, survey_spool
from mltrace_otel.errors import ServerFailed, SettingsError
from mltrace_otel.settings import SpoolSettings, read_settings, read_spool_settings

_REFUSED = 1

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def spool() -> None:
    """See and send the runs that wait on this machine for a server."""


@spool.command()
@_json_option
def status(*, as_json: bool) -> None:
    """Show what waits, whose it is, and what was refused."""
    survey = _survey(read_spool_settings())
    if as_json:
        _print_json(survey)
    else:
        show(render_status(survey, datetime.now(UTC)))


@spool.command()
@click.option("--wait", is_flag=True, help="Try again until the server has taken everything.")
@_json_option
def send(*, wait: bool, as_json: bool) -> None:
    """Send what programs left that have ended; those that run send their own.

    They go where OTEL_EXPORTER_OTLP_ENDPOINT says. Exit code 1: the server refused some, which are
    kept aside.
    """
    settings = read_spool_settings()
    sent = _send(Spool(settings), wait=wait)
    survey = _survey(settings)
    if as_json:
        _print_json(sent)
    else:
        show(render_sent(sent, survey))
    if sent.rejected:
        sys.exit(_REFUSED)


def _send(spool: Spool, *, wait: bool) -> Sent:
    endpoint = read_settings().endpoint
    sent = rejected = 0
    with closing(Courier(read_settings, spool.set_aside)) as courier:
        for outcome in _deliver(spool, courier, wait=wait):
            if not outcome.is_settled:
                raise ServerFailed(
                    f"Runs still wait in {spool.folder}: {endpoint} did not take them "
                    f"({outcome.answer.message}). Start the server with `mltrace up`, or say where "
                    "it is with OTEL_EXPORTER_OTLP_ENDPOINT."
                )
            sent += outcome.sent
            rejected += outcome.rejected
    return Sent(endpoint, sent, rejected)


def _deliver(spool: Spool, courier: Courier, *, wait: bool) -> Iterator[Outcome]:
    """Yield what becomes of each batch, after as many tries as it takes if we are to wait."""
    patience = Patience()
    for outcome in deliver_left(spool.adopt, courier):
        if wait and outcome.answer.verdict is Verdict.POSTPONED:
            patience.wait(outcome.answer, threading.Event())
            continue
        patience = Patience()
        yield outcome


def _survey(settings: SpoolSettings) -> Survey:
    try:
        return survey_spool(settings)
    except OSError as error:
        raise SettingsError(f"The spool cannot be read: {error}.") from error


def _print_json(shape: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(shape), indent=2))
