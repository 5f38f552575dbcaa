# ruff: noqa: N802, RET504 - documented names; what is returned must be a local variable first
"""Triggers get what they ask for, may add to the run, and never harm it."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from builders import names

from mltrace_exporter.model import Run
from mltrace_otel import Component, ComponentRun, IOPointer, SetupError
from mltrace_otel.calls.triggers import adapt_trigger

Recorded = Callable[[], list[Run]]
RUN = ComponentRun("c")
VARIABLES = {"x": 1, "run": 2}


def both(run: object, variables: object) -> object:
    return run, variables


def two(first: object, second: object) -> object:
    return first, second


def only_run(run: object) -> object:
    return run


def any_one(it: object) -> object:
    return it


def only_variables(variables: object) -> object:
    return variables


def swapped(variables: object, run: object) -> object:
    return variables, run


def keywords(**values: object) -> object:
    return values


def run_and_keywords(run: object, **values: object) -> object:
    return run, values


def everything(*args: object, **kwargs: object) -> object:
    return args, kwargs


def by_name(*, variables: object, verbose: bool = True) -> object:
    return variables, verbose


def nothing() -> object:
    return "nothing"


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (both, (RUN, VARIABLES)),
        (two, (RUN, VARIABLES)),
        (only_run, RUN),
        (any_one, RUN),
        (only_variables, VARIABLES),
        (swapped, (VARIABLES, RUN)),
        (keywords, VARIABLES),
        (run_and_keywords, (RUN, {"x": 1})),
        (everything, ((RUN, VARIABLES), {})),
        (by_name, (VARIABLES, True)),
        (nothing, "nothing"),
    ],
)
def test_a_trigger_gets_what_its_signature_takes(
    trigger: Callable[..., object], expected: object
) -> None:
    assert adapt_trigger(trigger)(RUN, VARIABLES) == expected


def test_a_trigger_that_cannot_be_called_is_refused() -> None:
    class Greedy(Component):
        def beforeRun(self, run: object, variables: object, threshold: float) -> None:
            """Need more than there is."""

    class Late(Component):
        async def afterRun(self) -> None:  # type: ignore[override] # the mistake
            """Be too late."""

    with pytest.raises(SetupError, match=r"Greedy\.beforeRun .* needs more than that"):
        Greedy("c").run(len)
    with pytest.raises(SetupError, match=r"Late\.afterRun cannot be asynchronous"):
        Late("c").run(len)


def test_triggers_see_and_add_to_the_run(recorded: Recorded) -> None:
    seen: list[Mapping[str, object]] = []

    class Cleaning(Component):
        def beforeRun(self, run: ComponentRun, variables: Mapping[str, object]) -> None:
            seen.append(variables)
            run.add_input("config.yaml")

        def afterRun(self, run: ComponentRun, variables: Mapping[str, object]) -> None:
            seen.append(variables)
            run.add_output(f"{variables['y']}.csv")
            run.add_notes("It went well.")
            run.set_upstream("ingest")

    @Cleaning("cleaning").run
    def clean(x: str, *, deep: bool = False) -> str:  # noqa: ARG001 - for the trigger
        y = x + "-clean"
        return y

    clean("raw")

    assert seen == [{"x": "raw", "deep": False}, {"x": "raw", "deep": False, "y": "raw-clean"}]
    (run,) = recorded()
    assert (names(run, "input"), names(run, "output")) == (["config.yaml"], ["raw-clean.csv"])
    assert (run.notes, run.upstream) == ("It went well.", ("ingest",))


def test_what_a_trigger_assigns_is_made_to_fit(recorded: Recorded) -> None:
    class Sloppy(Component):
        def afterRun(self, run: Any) -> None:
            run.inputs = ["a.csv", IOPointer("b.csv")]
            run.notes = 12

    Sloppy("c").run(len)([])

    (run,) = recorded()
    assert (names(run, "input"), run.notes) == (["a.csv", "b.csv"], "12")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), AssertionError()])
def test_a_trigger_that_raises_costs_one_warning(
    recorded: Recorded, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    class Broken(Component):
        def beforeRun(self) -> None:
            raise error

    work = Broken("c").run(input_vars=["x"])(lambda x: x + "!")

    assert [work("a"), work("b")] == ["a!", "b!"]
    assert [names(run, "input") for run in recorded()] == [["a"], ["b"]]
    (warning,) = caplog.records
    assert warning.getMessage().startswith("Runs of component 'c' are recorded without beforeRun (")


@pytest.mark.parametrize(
    ("field", "value", "inputs"),
    [
        ("inputs", [object()], ["a"]),
        ("inputs", [IOPointer(12)], []),  # type: ignore[arg-type] # the mistake
        ("upstream", [object()], []),
        ("test_outcomes", ["passed"], []),
    ],
)
def test_what_a_trigger_spoils_costs_one_warning(
    recorded: Recorded, caplog: pytest.LogCaptureFixture, field: str, value: object, inputs: Any
) -> None:
    class Hopeless(Component):
        def beforeRun(self, run: ComponentRun) -> None:
            setattr(run, field, value)

    work = Hopeless("c").run(input_vars=["x"])(lambda x: x)

    assert work("a") == "a"
    assert [names(run, "input") for run in recorded()] == [inputs]
    assert len(caplog.records) == 1


def test_the_trigger_after_a_run_is_not_pulled_when_it_raised(recorded: Recorded) -> None:
    pulled: list[object] = []

    class Cleaning(Component):
        def afterRun(self, **variables: object) -> None:
            pulled.append(variables)

    @Cleaning("cleaning").run
    def clean(x: str) -> None:
        if x:
            sys.exit(x)

    with pytest.raises(SystemExit):
        clean("no data")
    clean("")

    assert pulled == [{"x": ""}]
    assert [run.execution for run in recorded()] == ["error", "ok"]
