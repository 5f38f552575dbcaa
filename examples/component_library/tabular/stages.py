"""Components that know their own words, tests and triggers."""

from collections.abc import Iterable

from mltrace_otel import Component
from tabular.checks import ColumnsTest, DuplicatesTest


class Cleaning(Component):
    """Cleans a table. The function's table must be in a variable `df`.

    Args:
        what: what is cleaned, e.g. "orders".
        owner: who answers for it.
        columns: columns that must be there before and after.
    """

    def __init__(self, what: str, owner: str, columns: Iterable[str]) -> None:
        columns = list(columns)
        super().__init__(
            name=f"cleaning_{what}",
            owner=owner,
            description=f"Cleans the table of {what}.",
            beforeTests=[ColumnsTest(columns)],
            afterTests=[ColumnsTest(columns), DuplicatesTest],
            tags=["etl", what],
        )


class Report(Component):
    """Writes a table for people.

    Args:
        owner: who answers for it.
    """

    def __init__(self, owner: str) -> None:
        super().__init__(name="report", owner=owner, tags=["report"])
