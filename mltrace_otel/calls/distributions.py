"""How what a call reads and writes is distributed. In: variables and their values. Out: on its run.

Tables, arrays and lists of numbers have a profile; a single number, and each of a dict of them, is
a metric.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from mltrace_otel.calls.slots import RETURNED
from mltrace_otel.errors import SettingsError
from mltrace_otel.notices import log
from mltrace_otel.pointers import IOPointer, split_value
from mltrace_otel.profiling import make_profile, read_number
from mltrace_otel.runs import ComponentRun, Measurement, VariableProfile
from mltrace_otel.settings import PROFILES, ProfileScope, read_profile_scope

_METRICS_LIMIT = 50


def decide_scope(choice: ProfileScope | None) -> ProfileScope:
    """Return what is to be profiled: nothing if the environment says so, else what was chosen.

    Args:
        choice: what the component says; None if nothing.
    """
    asked = _parse_scope(os.environ.get(PROFILES, ""))
    return asked if choice is None or asked is ProfileScope.NONE else choice


@cache
def _parse_scope(text: str) -> ProfileScope:
    try:
        return read_profile_scope({PROFILES: text})
    except SettingsError as error:
        log.warning("%s Until then outputs are profiled.", error)
        return ProfileScope.OUTPUTS


def describe_variable(
    run: ComponentRun, direction: str, variable: str, value: object, pointers: Sequence[IOPointer]
) -> None:
    """Add to a run how a variable's value is distributed, if that is of a kind that is.

    Args:
        run: the run.
        direction: ``input`` or ``output``.
        variable: the variable.
        value: its value.
        pointers: what the value is as an input or output.
    """
    things = split_value(variable, value)
    names = [pointer.name for pointer in pointers]
    named: list[str | None] = [*names] if len(names) == len(things) else [None] * len(things)
    for (place, thing), name in zip(things, named, strict=True):
        profile = make_profile(place, thing)
        if profile is not None:
            run.profiles.append(VariableProfile(direction, place, name, profile))
    if direction == "output":
        run.metrics += [Measurement(name, number, True) for name, number in _read(variable, value)]  # noqa: FBT003 - a named tuple


def describe_result(run: ComponentRun, result: object, known: Iterable[object]) -> None:
    """Add to a run how what its function returned is distributed.

    Args:
        run: the run.
        result: what was returned; of a tuple, each element is described.
        known: values that were described already, and are not again.
    """
    seen = {id(value) for value in known}
    parts = [(RETURNED, result)]
    if type(result) is tuple:
        parts = [(f"{RETURNED}[{place}]", each) for place, each in enumerate(result)]
    for place, each in parts:
        if id(each) not in seen:
            describe_variable(run, "output", place, each, ())


def _read(variable: str, value: object) -> Iterator[tuple[str, float]]:
    number = read_number(value)
    if number is not None:
        yield variable, number
    elif type(value) is dict and len(value) <= _METRICS_LIMIT:
        numbers = {key: read_number(each) for key, each in value.items() if type(key) is str}
        if len(numbers) == len(value):
            for key, number in numbers.items():
                if number is not None:
                    yield f"{variable}.{key}", number
