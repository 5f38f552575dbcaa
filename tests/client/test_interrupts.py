"""Signals and odd exceptions while we work are the program's, and its runs are kept."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from receiving import Receiver, run_program

from mltrace_exporter.model import Run
from mltrace_otel import Component

Recorded = Callable[[], list[Run]]

INTERRUPTED = """
import signal
from mltrace_otel import Component

class Day:
    def __str__(self):  # asked for when the function has returned
        signal.raise_signal(signal.SIGUSR1)
        return "monday"

def stop(number, frame):
    raise {error}

signal.signal(signal.SIGUSR1, stop)

@Component("work").run(partition="day")
def work(day):
    return 1

try:
    work(Day())
except {kind} as error:
    print("stopped")
"""

REENTERED = """
import signal, time
from mltrace_otel import Component
import numpy as np

@Component("inner").run(output_vars=["y"])
def inner():
    y = np.zeros(1000)
    return y

@Component("outer").run(output_vars=["y"])
def outer():
    y = np.ones(1000)
    return y

def interrupt(number, frame):
    inner()
    signal.setitimer(signal.ITIMER_REAL, 0.0053)  # not before: a slow machine would never be done

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.005)
until = time.monotonic() + 2
while time.monotonic() < until:
    outer()
signal.signal(signal.SIGALRM, signal.SIG_IGN)
print("done")
"""


@pytest.mark.parametrize(
    ("error", "kind"),
    [("KeyboardInterrupt", "KeyboardInterrupt"), ("SystemExit(143)", "SystemExit")],
)
def test_who_ends_the_program_while_we_work_ends_it_and_the_run_is_kept(
    tmp_path: Path, receiver: Receiver, error: str, kind: str
) -> None:
    done = run_program(
        tmp_path,
        INTERRUPTED.format(error=error, kind=kind),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )

    assert done.stdout == "stopped\n"
    assert [(run.component, run.execution) for run in receiver.runs()] == [("work", "ok")]


def test_a_handler_of_signals_may_run_a_component_in_the_middle_of_another(
    tmp_path: Path, receiver: Receiver
) -> None:
    done = run_program(tmp_path, REENTERED, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)

    assert (done.status, done.stdout) == (0, "done\n")


def make_secret() -> BaseException:
    """An exception whose class does not tell its name."""

    class Secretive(type):
        def __getattribute__(cls, name: str) -> object:
            if name in {"__module__", "__qualname__", "__name__"}:
                raise RuntimeError(name)
            return super().__getattribute__(name)

    class Secret(Exception, metaclass=Secretive):  # noqa: N818 - what is tried
        pass

    return Secret()


def make_classless() -> BaseException:
    """An exception that does not tell its class."""

    def refuse(_: object) -> type:
        raise RuntimeError("class")

    error: BaseException = type("Classless", (Exception,), {"__class__": property(refuse)})()
    return error


def make_wordless(raised: BaseException) -> BaseException:
    """An exception whose text raises another."""

    def refuse(_: object) -> str:
        raise raised

    error: BaseException = type("Wordless", (Exception,), {"__str__": refuse})()
    return error


@pytest.mark.parametrize(
    "make",
    [
        make_secret,
        make_classless,
        partial(make_wordless, SystemExit(3)),
        partial(make_wordless, KeyboardInterrupt()),
        partial(SystemExit, np.array([1, 2])),
    ],
    ids=["secret", "classless", "exits", "interrupts", "array"],
)
def test_an_odd_exception_passes_through_and_its_run_is_recorded(
    recorded: Recorded, make: Callable[[], BaseException]
) -> None:
    error = make()

    @Component("c").run
    def fail() -> None:
        raise error

    caught: BaseException | None = None
    try:
        fail()
    except BaseException as passed:  # noqa: BLE001 - pytest.raises asks for its class
        caught = passed

    assert caught is error
    assert [run.execution for run in recorded()] == ["error"]


def test_a_log_handler_that_raises_costs_no_call(recorded: Recorded) -> None:
    class Strict(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise AssertionError(record.getMessage())

    class Spoilt(Component):
        def beforeRun(self) -> None:  # noqa: N802 - documented so
            raise ValueError

    @Spoilt("c").run
    def work() -> int:
        return 2

    strict = Strict()
    logging.getLogger("mltrace_otel").addHandler(strict)
    try:
        assert work() == 2
    finally:
        logging.getLogger("mltrace_otel").removeHandler(strict)
    assert len(recorded()) == 1
