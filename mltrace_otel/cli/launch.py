"""Runs a program as a child of ours, and records it around that.

We are guests: whatever fails on our side is told in one line on standard error, and the program
runs. Signals that people send to us go on to the child; those of a terminal reach it anyway.
"""

import os
import shlex
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import click
from opentelemetry import trace

from mltrace_otel.cli.render.words import printable
from mltrace_otel.provenance import get_git_hash, get_git_tags
from mltrace_otel.runs import ComponentRun
from mltrace_otel.telemetry import wire
from mltrace_otel.telemetry.emission import announce, finish_span, start_span

_T = TypeVar("_T")

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as shells say
_SIGNALLED = 128

_PASSED_ON = {
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
}
_WATCHED = {*_PASSED_ON, signal.SIGCHLD}
# Python ignores these; what we start expects them as they are by default.
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
_FROM_KERNEL = 128  # SI_KERNEL: a terminal sent it, to all of its foreground


@dataclass(frozen=True)
class Job:
    """What to run and what to say about it.

    Attributes:
        name: name of the component.
        command: program and arguments.
        inputs: names of what it reads.
        outputs: names of what it writes.
        owner: the component's.
        description: the component's.
        tags: the component's.
        partition: what part of the data it is about.
    """

    name: str
    command: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    partition: str | None = None


@dataclass(frozen=True)
class _Ended:
    """How a program ended: the exit code for our caller, and what went wrong."""

    code: int
    fault: str | None = None


def launch(job: Job) -> int:
    """Run a job's command, record it, and return its exit code; 128 and more are signals."""
    run = _guard(lambda: _prepare(job))
    # Before there is a thread, so that every signal waits for us to look at it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    span = None if run is None else _guard(lambda: _begin(job, run))
    ended = _execute(job.command, mask)
    if run is not None and span is not None:
        _guard(lambda: _finish(job, run, span, ended))
    return ended.code


def _prepare(job: Job) -> ComponentRun:
    run = ComponentRun(job.name, partition=job.partition)
    run.git_hash, run.git_tags = get_git_hash(), get_git_tags()
    run.add_inputs(job.inputs)
    return run


def _begin(job: Job, run: ComponentRun) -> trace.Span:
    span = start_span(job.name)
    announce(span, run, lambda: _describe(job))
    return span


def _finish(job: Job, run: ComponentRun, span: trace.Span, ended: _Ended) -> None:
    if ended.fault is None:
        run.add_outputs(job.outputs)
    error = None if ended.fault is None else ChildProcessError(ended.fault)
    finish_span(span, run, common=_describe(job, ended.code), error=error)


def _describe(job: Job, code: int | None = None) -> bytes:
    words = wire.describe_component(job.name, job.owner, job.description, job.tags)
    return wire.encode_attributes(
        {**words, "process.command_args": list(job.command), "process.exit.code": code}
    )


def _execute(command: tuple[str, ...], mask: Iterable[int]) -> _Ended:
    try:
        child = os.posix_spawnp(
            command[0], command, os.environ, setsigmask=mask, setsigdef=_RESTORED
        )
    except OSError as error:
        fault = f"{shlex.quote(command[0])} cannot be run: {error.strerror}"
        click.echo(f"mltrace: {printable(fault)}", err=True)
        missing = isinstance(error, FileNotFoundError)
        return _Ended(NOT_FOUND if missing else NOT_EXECUTABLE, fault)
    return _tell_end(command[0], _await(child))


def _await(child: int) -> int:
    """Return the child's exit code, below 0 if a signal ended it."""
    while True:
        told = signal.sigwaitinfo(_WATCHED)
        if told.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif told.si_code != _FROM_KERNEL:
            os.kill(child, told.si_signo)


def _tell_end(program: str, code: int) -> _Ended:
    if code == 0:
        return _Ended(0)
    if code < 0:
        return _Ended(_SIGNALLED - code, f"{program} was ended by {signal.Signals(-code).name}")
    return _Ended(code, f"{program} ended with exit code {code}")


def _guard(step: Callable[[], _T]) -> _T | None:
    """Keep a fault of ours away from the user's program."""
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - the boundary between us and the user's program
        click.echo(
            f"mltrace: This run is not recorded as it was: {printable(str(error))}", err=True
        )
        return None
