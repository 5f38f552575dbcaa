"""Which variables a function has, and their values. In: a function, a call's arguments. Out: names.

Pure: nothing is called, nothing is changed.
"""

import dis
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from types import CodeType

from mltrace_otel.errors import UnknownVariable


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a function.

    Attributes:
        function: its name, for people.
        code: its code; None if it is not written in Python.
        positional: parameters that arguments fill by place.
        star: the parameter that takes the arguments left over, and ``double_star`` those by name.
        defaults: values of parameters that a call may leave out.
        parameters: all its parameters.
        locals: its other local variables.
        rebound: parameters that the function may set to another value.
    """

    function: str
    code: CodeType | None
    positional: tuple[str, ...] = ()
    star: str | None = None
    double_star: str | None = None
    defaults: Mapping[str, object] = field(default_factory=dict)
    parameters: frozenset[str] = frozenset()
    locals: frozenset[str] = frozenset()
    rebound: frozenset[str] = frozenset()

    def needs_frame(self, names: Iterable[str]) -> bool:
        """Tell whether the values at return can only be read from the function's frame."""
        return not (self.parameters - self.rebound).issuperset(names)


def find_innermost(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function that a callable calls in the end, as far as can be told."""
    while True:
        inner = inspect.unwrap(function)
        if isinstance(inner, functools.partial | functools.partialmethod):
            inner = inner.func
        elif inspect.ismethod(inner):
            inner = inner.__func__
        elif not (inspect.isfunction(inner) or isinstance(inner, type)):
            called = getattr(type(inner), "__call__", None)  # noqa: B004 - an object's method
            inner = called if inspect.isfunction(called) else inner
        if inner is function:
            return inner
        function = inner


def read_variables(function: Callable[..., object]) -> Variables:
    """Return the variables of a function, those of the innermost if it is wrapped."""
    innermost = find_innermost(function)
    code = getattr(innermost, "__code__", None)
    name = getattr(innermost, "__qualname__", repr(innermost))
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # builtins may have none
        return Variables(function=name, code=code)
    in_code = frozenset((*code.co_varnames, *code.co_cellvars)) if code else frozenset()
    kinds = {
        kind: tuple(name for name, p in parameters.items() if p.kind is kind)
        for kind in (
            Parameter.POSITIONAL_ONLY,
            Parameter.POSITIONAL_OR_KEYWORD,
            Parameter.VAR_POSITIONAL,
            Parameter.VAR_KEYWORD,
        )
    }
    return Variables(
        function=name,
        code=code,
        positional=kinds[Parameter.POSITIONAL_ONLY] + kinds[Parameter.POSITIONAL_OR_KEYWORD],
        star=next(iter(kinds[Parameter.VAR_POSITIONAL]), None),
        double_star=next(iter(kinds[Parameter.VAR_KEYWORD]), None),
        defaults={
            name: p.default for name, p in parameters.items() if p.default is not Parameter.empty
        },
        parameters=frozenset(parameters),
        locals=in_code - frozenset(parameters),
        rebound=_read_rebound(code) if code else frozenset(),
    )


def _read_rebound(code: CodeType) -> frozenset[str]:
    stored = set(code.co_cellvars)  # an inner function may set it
    for instruction in dis.get_instructions(code):
        if instruction.opname.startswith(("STORE_FAST", "DELETE_FAST")):
            names = instruction.argval
            stored.update(names if isinstance(names, tuple) else (names,))
    return frozenset(stored)


def bind_arguments(
    variables: Variables, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """Return the values of the parameters at a call; one that does not fit is bound as it goes."""
    values = {**variables.defaults, **dict(zip(variables.positional, args, strict=False))}
    if variables.star is not None:
        values[variables.star] = args[len(variables.positional) :]
    if variables.double_star is None:
        values.update(kwargs)
        return values
    left_over: dict[str, object] = {}
    # A name that a place has taken is a positional-only parameter's, and may come again.
    free = variables.parameters.difference(variables.positional[: len(args)])
    for name, value in kwargs.items():
        (values if name in free else left_over)[name] = value
    values[variables.double_star] = left_over
    return values


def check_variable(variables: Variables, name: str, asked_by: str, *, before: bool = False) -> None:
    """Make sure that a function has a variable; ``before`` the call only parameters have a value.

    Raises:
        UnknownVariable: it has no such variable.
    """
    known = variables.parameters if before else variables.parameters | variables.locals
    if name not in known:
        raise UnknownVariable(name, asked_by, variables.function, known)
