"""The decorator for components that are only a name. In: the name. Out: runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

from mltrace_otel.calls.binding import read_variables
from mltrace_otel.calls.plan import Plan
from mltrace_otel.calls.slots import Labels, make_slots
from mltrace_otel.calls.wrapping import check_function, decorate
from mltrace_otel.component import Component
from mltrace_otel.pointers import accept_names

P = ParamSpec("P")
R = TypeVar("R")


def register(  # noqa: PLR0913, PLR0917 - the documented arguments
    component_name: str,
    inputs: str | Sequence[str] = (),
    outputs: str | Sequence[str] = (),
    input_vars: str | Sequence[str] | Labels = (),
    output_vars: str | Sequence[str] = (),
    input_kwargs: Mapping[str, str] | None = None,
    output_kwargs: Mapping[str, str] | None = None,
    endpoint: bool = False,  # noqa: FBT001, FBT002
    staleness_threshold: float | None = None,
    auto_log: bool = False,  # noqa: FBT001, FBT002
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Record each call of the decorated function as a run of the named component.

    `Component.run` does the same and also runs tests.

    Args:
        component_name: name of the component.
        inputs: names of what every call reads.
        outputs: names of what every call writes.
        input_vars: variables that hold what it reads, as for `Component.run`.
        output_vars: variables that hold what it writes.
        input_kwargs: variables that hold the names of what it reads, and the variables that hold
            what is named; both may hold lists of one length.
        output_kwargs: the same for what it writes.
        endpoint: whether its outputs are answers of an endpoint.
        staleness_threshold: age in seconds above which an input makes a run stale; 30 days if
            nothing is said.
        auto_log: as for `Component.run`.

    Raises:
        SetupError: the name is empty, or what is decorated is no function.
        UnknownVariable: the function lacks a variable that is named here.
    """
    component = Component(component_name)

    def decorator(function: Callable[P, R]) -> Callable[P, R]:
        check_function(function)
        return decorate(
            Plan(
                component=component.name,
                words=component.describe(),
                function=function,
                variables=read_variables(function),
                inputs=accept_names(inputs),
                outputs=accept_names(outputs),
                input_slots=make_slots(input_vars, input_kwargs),
                output_slots=make_slots(output_vars, output_kwargs),
                endpoint=endpoint,
                staleness_threshold_s=staleness_threshold,
                auto_log=auto_log,
            )
        )

    return decorator
