"""What all stock tests are: tests of one variable, which they are made with."""

from collections.abc import Iterable

from mltrace_otel.datatests import Test
from mltrace_otel.errors import SetupError

_NAME_LENGTH = 80


class VariableTest(Test):
    """Tests of one variable of the decorated function.

    If the function calls it otherwise, say so where you decorate it: ``run(orders="df")`` of the
    component
    for a test that is made with ``"orders"``.

    Args:
        variable: name of the variable.
        columns: the columns that it looks at; how none is read, each test says.
        name: what the test is called; by default its class, variable and columns.

    Raises:
        SetupError: the variable has no name.
    """

    def __init__(self, variable: str, columns: str | Iterable[str] = (), name: str = "") -> None:
        if not isinstance(variable, str) or not variable:
            raise SetupError(f"{type(self).__name__} needs the name of a variable to look at.")
        self.variable = variable
        self.columns = (columns,) if isinstance(columns, str) else tuple(map(str, columns))
        super().__init__(name or self._name())
        self.renames = {"value": variable}

    def _name(self) -> str:
        looked_at = f"{self.variable}.{', '.join(self.columns)}" if self.columns else self.variable
        return f"{type(self).__name__}({shorten(looked_at)})"


def shorten(text: str) -> str:
    """Return a text that a name has room for."""
    return text if len(text) <= _NAME_LENGTH else f"{text[: _NAME_LENGTH - 1]}…"


def check_share(name: str, share: float) -> float:
    """Return a share.

    Raises:
        SetupError: it is none.
    """
    if not 0 <= share <= 1:
        raise SetupError(f"{name}={share!r} is no share: give a number from 0 to 1.")
    return share
