"""A test of features that tell the label."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from mltrace_otel.datatests import Finding
from mltrace_otel.errors import SetupError
from mltrace_otel.stock.columns import ORDERED, Column, Kind, Numbers, Table, read_table
from mltrace_otel.stock.variables import VariableTest, check_share
from mltrace_otel.stock.wording import fail_with

_CLASSES = 2
_LEAST_ROWS = 10
_ROWS_READ = 100_000


class NoLeakage(VariableTest):
    """No single feature tells the label: what does was most likely made from it.

    How well a feature tells the label is measured by ranks, so that a scaled or otherwise monotone
    copy is found as well: of a label with two values as the distance of the AUC from chance,
    abs(2 AUC - 1) (Mann and Whitney, 1947), of others as the absolute value of Spearman's
    correlation. Both are 1 for a copy and near 0 for what says nothing. Of more than 100,000 rows
    that many are looked at, evenly spread.

    Args:
        variable: name of the variable that holds the features.
        label: the column that is the label.
        labels: name of the variable that holds the label; by default it is among the features.
        columns: features to look at; all but nested ones if none is named.
        most: how well a feature may tell the label, from 0 to 1.
        name: what the test is called.

    Raises:
        SetupError: nothing says where the label is.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen
        self,
        variable: str,
        label: str = "",
        *,
        labels: str = "",
        columns: str | Iterable[str] = (),
        most: float = 0.98,
        name: str = "",
    ) -> None:
        super().__init__(variable, columns, name)
        if not (label or labels):
            raise SetupError("NoLeakage needs a label: the column that holds it, or the variable.")
        self.label = label
        self.most = check_share("most", most)
        self.is_apart = bool(labels) and labels != variable
        self.renames = {"value": variable, "labels": labels or variable}

    def test_no_leakage(self, value: object, labels: object) -> None:
        """No feature tells the label better than it may."""
        features = read_table(value)
        label = _find_label(read_table(labels), self.label)
        if label.rows != features.rows:
            self.fail(f"There are {features.rows:,} rows of features and {label.rows:,} labels.")
        answers = self._read_label(label)
        others = [
            column
            for column in features.select(self.columns, ORDERED)
            if self.is_apart or column.name != label.name
        ]
        fail_with(self._describe(others, answers, label))

    def _read_label(self, label: Column) -> Numbers:
        answers = _thin(label.read_numbers())
        classes = len(np.unique(answers[~np.isnan(answers)]))
        if label.kind is Kind.TEXT and classes > _CLASSES:
            self.skip(f"the label has {classes:,} texts, which have no order to compare with")
        return answers

    def _describe(
        self, columns: Iterable[Column], answers: Numbers, label: Column
    ) -> Iterator[str]:
        for column in columns:
            told = _tell(_thin(column.read_numbers()), answers)
            if told > self.most:
                yield (
                    f"{column.name or 'The feature'} tells {label.name or 'the label'} to "
                    f"{told:.3f}; at most {self.most:.3g} is allowed."
                )


def _find_label(table: Table, name: str) -> Column:
    columns = table.select([name] if name else (), ORDERED)
    if len(columns) != 1:
        raise Finding(f"The label's variable has {len(columns)} columns: say which is the label.")
    return columns[0]


def _thin(numbers: Numbers) -> Numbers:
    return numbers[:: -(-len(numbers) // _ROWS_READ) or 1]


def _tell(feature: Numbers, answers: Numbers) -> float:
    """Return how well a feature tells the answers, from 0 to 1; 0 where too few are there."""
    both = ~(np.isnan(feature) | np.isnan(answers))
    if both.sum() < _LEAST_ROWS:
        return 0.0
    ranks, answers = _rank(feature[both]), answers[both]
    classes = np.unique(answers)
    if len(classes) == _CLASSES:
        return _separate(ranks, answers == classes[1])
    return _correlate(ranks, _rank(answers))


def _rank(values: Numbers) -> Numbers:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (counts.cumsum() - (counts - 1) / 2)[places]
    return ranks


def _separate(ranks: Numbers, is_second: npt.NDArray[np.bool_]) -> float:
    second, first = int(is_second.sum()), int((~is_second).sum())
    u = ranks[is_second].sum() - second * (second + 1) / 2
    return float(abs(2 * u / (first * second) - 1))


def _correlate(one: Numbers, other: Numbers) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(one, other)[0, 1]))
