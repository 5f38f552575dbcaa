"""Tests of what a value holds: its columns, nulls, range, repeats, outliers and age."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np

from mltrace_otel.errors import SetupError
from mltrace_otel.profiles.wording import percent
from mltrace_otel.stock.columns import NUMERIC, Column, Kind, read_table
from mltrace_otel.stock.variables import VariableTest, check_share
from mltrace_otel.stock.wording import (
    count_of,
    describe_outside,
    duration,
    fail_with,
    number,
    of,
    reading,
)

Bound = float | date | datetime
_KINDS = {*map(str, Kind), "number"}


class Schema(VariableTest):
    """A frame has the columns that it should have, and of the types that they should have.

    Args:
        variable: name of the variable.
        columns: names of the columns, or what type each should be: ``integer``, ``float``,
            ``number`` (either), ``boolean``, ``text``, ``datetime``, or the type's name in the
            frame's library, e.g. ``int64`` or ``Int64``; None for any.
        more: whether other columns may be there.
        name: what the test is called.
    """

    def __init__(
        self,
        variable: str,
        columns: Iterable[str] | Mapping[str, str | None],
        *,
        more: bool = False,
        name: str = "",
    ) -> None:
        super().__init__(variable, name=name)
        types = columns if isinstance(columns, Mapping) else dict.fromkeys(columns)
        self.types = {str(column): type_ for column, type_ in types.items()}
        self.more = more

    def test_columns(self, value: object) -> None:
        """It has these columns, and no others unless more are allowed."""
        there = read_table(value).columns
        missing = [name for name in self.types if name not in there]
        others = [] if self.more else [name for name in there if name not in self.types]
        fail_with(
            f"{len(names):,} {'column is' if len(names) == 1 else 'columns are'} {what}: "
            f"{', '.join(names)}."
            for what, names in (("missing", missing), ("not expected", others))
            if names
        )

    def test_types(self, value: object) -> None:
        """The columns that are there have these types."""
        there = read_table(value).columns
        fail_with(
            f"{name} is {there[name].types[0]}; expected is {wanted}."
            for name, wanted in self.types.items()
            if name in there and wanted is not None and not _is_of(there[name], wanted)
        )


def _is_of(column: Column, wanted: str) -> bool:
    if wanted in _KINDS:
        return column.kind == wanted or (wanted == "number" and column.kind in NUMERIC)
    return wanted.casefold() in {name.casefold() for name in column.types}


class NoNulls(VariableTest):
    """Values are there. NaN counts as null.

    Args:
        variable: name of the variable.
        columns: columns to look at; all if none is named.
        most: the share of a column's values that may be null, from 0 to 1.
        name: what the test is called.
    """

    def __init__(
        self,
        variable: str,
        columns: str | Iterable[str] = (),
        *,
        most: float = 0.0,
        name: str = "",
    ) -> None:
        super().__init__(variable, columns, name)
        self.most = check_share("most", most)

    def test_no_nulls(self, value: object) -> None:
        """No column has more nulls than it may."""
        fail_with(self._describe(read_table(value).select(self.columns)))

    def _describe(self, columns: Iterable[Column]) -> Iterator[str]:
        for column in columns:
            nulls = column.count_nulls()
            if nulls > self.most * column.rows:
                found = f"{count_of(nulls, column.rows, 'value')}{of(column)}"
                verb = "is" if nulls == 1 else "are"
                yield f"{found} {verb} null; at most {percent(self.most)} are allowed."


class InRange(VariableTest):
    """Numbers and datetimes lie within bounds. Nulls are left out, infinities are not.

    Args:
        variable: name of the variable.
        columns: columns to look at; all with numbers if none is named.
        least: the smallest value allowed; a date or datetime is in UTC if it names no zone.
        most: the largest value allowed.
        name: what the test is called.

    Raises:
        SetupError: there is no bound, or nothing lies between them.
    """

    def __init__(
        self,
        variable: str,
        columns: str | Iterable[str] = (),
        *,
        least: Bound | None = None,
        most: Bound | None = None,
        name: str = "",
    ) -> None:
        super().__init__(variable, columns, name)
        if least is None and most is None:
            raise SetupError("InRange needs a bound: least, most or both.")
        self.least = -np.inf if least is None else _to_number(least)
        self.most = np.inf if most is None else _to_number(most)
        if self.least > self.most:
            raise SetupError(f"Nothing lies in a range from {least} to {most}.")
        is_timed = isinstance(least if most is None else most, date)
        self.kinds = frozenset({Kind.DATETIME}) if is_timed else NUMERIC

    def test_range(self, value: object) -> None:
        """No value lies outside."""
        fail_with(self._describe(read_table(value).select(self.columns, self.kinds)))

    def _describe(self, columns: Iterable[Column]) -> Iterator[str]:
        for column in columns:
            numbers = column.read_present()
            outside = numbers[(numbers < self.least) | (numbers > self.most)]
            if len(outside):
                yield describe_outside(column, outside, (self.least, self.most))


def _to_number(bound: Bound) -> float:
    if isinstance(bound, datetime):
        return (bound if bound.tzinfo else bound.replace(tzinfo=UTC)).timestamp()
    if isinstance(bound, date):
        return datetime(bound.year, bound.month, bound.day, tzinfo=UTC).timestamp()
    return float(bound)


class Unique(VariableTest):
    """No row is there twice.

    Args:
        variable: name of the variable.
        columns: columns that tell rows apart; all if none is named.
        name: what the test is called.
    """

    def test_unique(self, value: object) -> None:
        """No row repeats an earlier one."""
        table = read_table(value)
        chosen = [column.name for column in table.select(self.columns)]
        repeats = table.count_repeats(chosen)
        in_what = f" in {', '.join(self.columns)}" if self.columns else ""
        verb = "repeats" if repeats == 1 else "repeat"
        found = f"{count_of(repeats, table.rows, 'row')} {verb} an earlier one{in_what}"
        fail_with([f"{found}; none may."] if repeats else [])


class NoOutliers(VariableTest):
    """Few values lie far from the others: further from the quartiles than they lie apart.

    The fences are Tukey's (Exploratory Data Analysis, 1977): with `fence` 3 he calls what lies
    beyond them far out. A column half of whose values are the same is left out, because its
    quartiles say nothing of how values spread.

    Args:
        variable: name of the variable.
        columns: columns to look at; all with numbers if none is named.
        fence: how far from the quartiles is too far, as a multiple of the distance between them.
        most: the share of a column's values that may lie there, from 0 to 1.
        name: what the test is called.
    """

    def __init__(
        self,
        variable: str,
        columns: str | Iterable[str] = (),
        *,
        fence: float = 3.0,
        most: float = 0.01,
        name: str = "",
    ) -> None:
        super().__init__(variable, columns, name)
        if not fence > 0:
            raise SetupError(f"fence={fence!r} makes no sense: give a number above 0.")
        self.fence = fence
        self.most = check_share("most", most)

    def test_no_outliers(self, value: object) -> None:
        """No column has more outliers than it may."""
        fail_with(self._describe(read_table(value).select(self.columns, NUMERIC)))

    def _describe(self, columns: Iterable[Column]) -> Iterator[str]:
        for column in columns:
            numbers = column.read_present()
            finite = numbers[np.isfinite(numbers)]
            low, high = np.quantile(finite, [0.25, 0.75]) if len(finite) else (0, 0)
            reach = self.fence * (high - low)
            outside = numbers[(numbers < low - reach) | (numbers > high + reach)]
            if reach > 0 and len(outside) > self.most * len(numbers):
                found = describe_outside(column, outside, (low - reach, high + reach))
                yield (
                    f"{found[:-1]} ({number(self.fence)} times the distance of the quartiles); "
                    f"at most {percent(self.most)} may."
                )


class Fresh(VariableTest):
    """The newest value of a datetime column is not too old.

    Args:
        variable: name of the variable.
        column: the column; empty if the variable is an array or a list of datetimes.
        within: how old the newest value may be when the test runs. Values without a zone are in
            UTC.
        name: what the test is called.

    Raises:
        SetupError: `within` is not positive.
    """

    def __init__(
        self, variable: str, column: str = "", *, within: timedelta, name: str = ""
    ) -> None:
        super().__init__(variable, [column] if column else (), name)
        if within <= timedelta():
            raise SetupError(f"within={within} makes no sense: give a duration above 0.")
        self.within = within

    def test_fresh(self, value: object) -> None:
        """The newest value is not older than it may be."""
        columns = read_table(value).select(self.columns, frozenset({Kind.DATETIME}))
        fail_with(sentence for each in columns for sentence in self._describe(each))
        if not columns:
            self.fail("There is no column of datetimes.")

    def _describe(self, column: Column) -> Iterator[str]:
        moments = column.read_present()
        if not len(moments):
            yield f"No value{of(column)} is there to tell how old it is."
            return
        newest = float(moments.max())
        age = timedelta(seconds=datetime.now(UTC).timestamp() - newest)
        if age > self.within:
            yield (
                f"The newest value{of(column)} is {reading(column, newest)}, {duration(age)} old; "
                f"at most {duration(self.within)} are allowed."
            )
