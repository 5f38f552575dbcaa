"""Tests that any component with a table `df` can use."""

from collections.abc import Iterable

import pandas as pd

from mltrace_otel import Test


class ColumnsTest(Test):
    """The table has the columns that are asked for, and values in them.

    Args:
        columns: names of the columns.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        super().__init__(name="columns")
        self.columns = list(columns)

    def test_columns_are_there(self, df: pd.DataFrame) -> None:
        """A missing column would fail later, and say less."""
        self.assertEqual([each for each in self.columns if each not in df.columns], [])

    def test_values_are_there(self, df: pd.DataFrame, most_missing: float = 0.1) -> None:
        """At most a tenth of a column's values may be missing."""
        present = [each for each in self.columns if each in df.columns]
        for column in present:
            share = df[column].isna().mean()
            self.assertLessEqual(share, most_missing, f"{column}: {share:.0%} is missing")


class DuplicatesTest(Test):
    """No row is there twice."""

    def test_rows_differ(self, df: pd.DataFrame) -> None:
        """Rows that are there twice count twice in every average."""
        self.assertFalse(df.duplicated().any(), f"{df.duplicated().sum()} rows are there twice")
