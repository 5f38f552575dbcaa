"""Lists that show themselves as tables: in a console, in a notebook, as a data frame."""

import html
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, SupportsIndex, TypeVar, overload

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Columns = Sequence[tuple[str, Callable[[Any], object]]]

_ROWS_SHOWN = 60
_CELL_WIDTH = 40


class Table(list[T], Generic[T]):
    """A list whose elements are the rows of a table.

    Args:
        rows: the elements.
        columns: each column's title, and what it shows of an element.
    """

    def __init__(self, rows: Iterable[T], columns: Columns) -> None:
        super().__init__(rows)
        self._columns = tuple(columns)

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> "Table[T]": ...

    def __getitem__(self, index: SupportsIndex | slice) -> "T | Table[T]":
        if isinstance(index, slice):
            return Table(super().__getitem__(index), self._columns)
        return super().__getitem__(index)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table as a data frame, with values as they are. Needs pandas."""
        import pandas as pd  # noqa: PLC0415 - whoever does not ask for a data frame needs no pandas

        rows = [[read(row) for _, read in self._columns] for row in self]
        return pd.DataFrame(rows, columns=[title for title, _ in self._columns])

    def __repr__(self) -> str:
        if not self:
            return "(none)"
        cells = [[title for title, _ in self._columns], *self._list_cells()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, *self._tell_rest()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(title)}</th>" for title, _ in self._columns)
        rows = [
            "".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._list_cells()
        ]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        rest = "".join(f"<p>{line}</p>" for line in self._tell_rest())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"

    def _list_cells(self) -> list[list[str]]:
        return [[show(read(row)) for _, read in self._columns] for row in self[:_ROWS_SHOWN]]

    def _tell_rest(self) -> list[str]:
        hidden = len(self) - _ROWS_SHOWN
        return [f"... and {hidden:,} more"] if hidden > 0 else []


def show(value: object) -> str:
    """Return a value as one short line of text."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | tuple):
        text = ", ".join(show(each) for each in value) or "-"
    elif isinstance(value, float):
        text = f"{value:.3g}"
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= _CELL_WIDTH else f"{text[: _CELL_WIDTH - 1]}…"
