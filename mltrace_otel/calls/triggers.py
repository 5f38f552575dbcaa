"""Triggers: what a component does of its own before and after each run.

In: a method that takes what its author needed. Out: a function that takes everything.
"""

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

from mltrace_otel.errors import SetupError
from mltrace_otel.runs import ComponentRun

Variables = Mapping[str, object]
Trigger = Callable[[ComponentRun, Variables], object]

_WORDS = ("run", "variables")
_PLACED = frozenset({Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD})
_COLLECTING = frozenset({Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD})


def adapt_trigger(trigger: Callable[..., object]) -> Trigger:
    """Return a trigger that is called with the run and the variables.

    It may take both, the run only or nothing; an argument named ``run`` or ``variables`` gets that;
    ``**`` gets the variables by their names.

    Raises:
        SetupError: it needs more, or is asynchronous.
    """
    parameters = inspect.signature(trigger).parameters.values()
    name = getattr(trigger, "__qualname__", repr(trigger))
    if inspect.iscoroutinefunction(trigger):
        raise SetupError(f"{name} cannot be asynchronous: it is called before or after the run.")
    words = _assign([p for p in parameters if p.kind not in _COLLECTING])
    if words is None:
        raise SetupError(f"{name} is given the run and the variables, and needs more than that.")
    collecting = {p.kind for p in parameters} & _COLLECTING
    placed = [p.name for p in parameters if p.name in words and p.kind in _PLACED]
    left = [word for word in _WORDS if word not in words.values()]

    def call(run: ComponentRun, variables: Variables) -> object:
        given = {"run": run, "variables": variables}
        args = [given[words[name]] for name in placed]
        if Parameter.VAR_POSITIONAL in collecting:
            args += [given[word] for word in left]
        kwargs: dict[str, Any] = {}
        if collecting == {Parameter.VAR_KEYWORD}:
            kwargs = {key: value for key, value in variables.items() if key not in words}
        kwargs |= {name: given[word] for name, word in words.items() if name not in placed}
        return trigger(*args, **kwargs)

    return call


def _assign(parameters: list[Parameter]) -> dict[str, str] | None:
    """Say what each parameter gets; None if one would get nothing and needs something."""
    words = {p.name: p.name for p in parameters if p.name in _WORDS}
    left = [word for word in _WORDS if word not in words]
    needy = [p for p in parameters if p.default is Parameter.empty and p.name not in words]
    if len(needy) > len(left):
        return None
    return words | {p.name: word for p, word in zip(needy, left, strict=False)}
