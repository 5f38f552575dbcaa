"""The page about the public names of Python."""

import inspect
import re
import textwrap
from collections.abc import Callable
from types import ModuleType

import mltrace_otel
import mltrace_otel.stock

_WIDTH = 88

_PYTHON = """\
# Python

<!-- Written by docs/generate.py from the docstrings: change them there. -->

All public names, to be imported from `mltrace_otel`.
[Instrument a script](../how-to/instrument-a-script.md) shows them at work.
"""

_STOCK = """\
# Stock tests

To be imported from `mltrace_otel.stock`. [Use stock tests](../how-to/stock-tests.md) shows them at
work.
"""


def render_python() -> str:
    """Return the page about the public names."""
    names = [_render_name(mltrace_otel, name) for name in mltrace_otel.__all__]
    stock = [_render_name(mltrace_otel.stock, name) for name in mltrace_otel.stock.__all__]
    return "\n".join([_PYTHON, *names, _STOCK, *stock])


def _render_name(module: ModuleType, name: str) -> str:
    public = getattr(module, name)
    methods = vars(public).items() if inspect.isclass(public) else ()
    texts = [_describe(name, public)]
    texts += [
        _describe(f"{name}.{method}", function)
        for method, function in methods
        if inspect.isfunction(function) and not method.startswith("_")
    ]
    blocks = "\n\n".join(texts)
    return f"## {name}\n\n```text\n{blocks}\n```\n"


def _describe(name: str, described: Callable[..., object]) -> str:
    head = name if _is_told_by_name(described) else f"{name}{_shorten_signature(described)}"
    head = textwrap.fill(head, _WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False)
    lines = (inspect.getdoc(described) or "").splitlines()
    return "\n".join([head, *(f"    {line}".rstrip() for line in lines)])


def _is_told_by_name(described: Callable[..., object]) -> bool:
    return inspect.isclass(described) and issubclass(described, str | Exception)


def _shorten_signature(described: Callable[..., object]) -> str:
    """Return the parameters with their defaults; their types stand in the docstring's words."""
    signature = inspect.signature(described)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    text = str(inspect.Signature(parameters)).replace("<factory>", "[]")
    return re.sub(r"<(\w+\.\w+): [^>]*>", r"\1", text)  # members of enumerations
