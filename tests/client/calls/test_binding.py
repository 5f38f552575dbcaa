import inspect
from collections.abc import Callable
from typing import Any

import pytest

from mltrace_otel import UnknownVariable
from mltrace_otel.calls.binding import bind_arguments, check_variable, read_variables


def plain(a: int, b: int = 2) -> int:
    return a + b


def strict(a: int, /, b: int, *, c: int, d: int = 4) -> int:
    return a + b + c + d


def collecting(a: int, *rest: int, b: int = 2, **more: int) -> int:
    return a + b + sum(rest) + sum(more.values())


def positional_twin(a: int, /, **a_too: int) -> int:
    return a + sum(a_too.values())


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (plain, (1,), {}),
        (plain, (1, 3), {}),
        (plain, (), {"b": 1, "a": 2}),
        (strict, (1, 2), {"c": 3}),
        (strict, (1,), {"b": 2, "c": 3, "d": 5}),
        (collecting, (1,), {}),
        (collecting, (1, 2, 3), {"b": 4, "x": 5}),
        (positional_twin, (1,), {"b": 2}),
        (positional_twin, (1,), {"a": 2}),
    ],
)
def test_arguments_are_bound_as_python_binds_them(
    function: Callable[..., int], args: tuple[int, ...], kwargs: dict[str, int]
) -> None:
    expected = inspect.signature(function).bind(*args, **kwargs)
    expected.apply_defaults()

    assert bind_arguments(read_variables(function), args, kwargs) == expected.arguments


def test_a_call_that_does_not_fit_is_bound_as_it_goes() -> None:
    variables = read_variables(plain)

    assert bind_arguments(variables, (), {"z": 1}) == {"b": 2, "z": 1}
    assert bind_arguments(variables, (1, 2, 3), {}) == {"a": 1, "b": 2}


def rebind_in_every_way(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, kept: Any) -> Any:  # noqa: PLR0913, PLR0917
    a = 1
    b += 1
    for c in range(3):  # noqa: B007, PLR1704
        pass
    if d := a:
        del e
    f, other = kept, kept

    def inner() -> None:
        nonlocal g
        g = 1

    return a, b, c, d, f, g, other, inner


def test_parameters_that_may_be_set_are_known() -> None:
    variables = read_variables(rebind_in_every_way)

    assert variables.rebound & variables.parameters == set("abcdefg")
    assert variables.locals == {"other", "inner"}
    assert not variables.needs_frame(["kept"])
    assert variables.needs_frame(["a"])
    assert variables.needs_frame(["other"])


def test_a_name_that_is_close_is_offered() -> None:
    variables = read_variables(rebind_in_every_way)

    check_variable(variables, "other", "output_vars")
    with pytest.raises(UnknownVariable, match=r"names 'othre', which .* Did you mean other\?"):
        check_variable(variables, "othre", "output_vars")
    with pytest.raises(UnknownVariable, match="does not have"):
        check_variable(variables, "other", "AgeTest.testAge", before=True)


def test_a_builtin_without_signature_has_no_variables() -> None:
    variables = read_variables(min)

    assert variables.code is None
    assert not variables.parameters | variables.locals
