"""A pandera schema as a test."""

from typing import Any, Protocol

from mltrace_otel.errors import SetupError
from mltrace_otel.stock.variables import VariableTest

_FAILURES_SHOWN = 10


class Validator(Protocol):
    """What a pandera schema, or a model of one, does."""

    def validate(self, check_obj: Any, /, *, lazy: bool) -> Any:  # noqa: ANN401 - as pandera's
        """Raise an exception that has ``failure_cases`` if a frame is not as it should be."""


class PanderaSchema(VariableTest):
    """A frame is as a pandera schema says. Needs pandera, which makes the schema.

    Args:
        variable: name of the variable.
        schema: a ``DataFrameSchema``, ``SeriesSchema`` or ``DataFrameModel``.
        name: what the test is called; by default after the schema, if that has a name.

    Raises:
        SetupError: it is no schema.
    """

    def __init__(self, variable: str, schema: Validator, *, name: str = "") -> None:
        super().__init__(variable, name=name)
        if not callable(getattr(schema, "validate", None)):
            raise SetupError(f"{schema!r} is no pandera schema: it cannot validate.")
        self.schema = schema

    def test_schema(self, value: object) -> None:
        """Every check of the schema holds."""
        try:
            self.schema.validate(value, lazy=True)
        except Exception as error:
            failures = getattr(error, "failure_cases", None)
            if failures is None or not hasattr(failures, "columns"):
                raise  # it is no finding of pandera's
            self.fail(_describe(failures))


def _describe(failures: Any) -> str:  # noqa: ANN401 - a frame of pandas or polars
    """Return each check that failed, in which column and how often."""
    found: dict[tuple[str, str], list[str]] = {}
    columns = (failures[name] for name in ("column", "check", "failure_case"))
    for column, check, case in zip(*columns, strict=True):
        found.setdefault((str(column), str(check)), []).append(str(case))
    sentences = [
        f"{column}: {check} does not hold, e.g. for {cases[0]} ({len(cases):,} found)."
        for (column, check), cases in list(found.items())[:_FAILURES_SHOWN]
    ]
    hidden = len(found) - len(sentences)
    return " ".join([*sentences, *([f"{hidden:,} more checks fail."] if hidden > 0 else [])])
