"""Components for tables, to be used by many pipelines: their tests and habits come with them."""

from tabular.checks import ColumnsTest, DuplicatesTest
from tabular.stages import Cleaning, Report

__all__ = ["Cleaning", "ColumnsTest", "DuplicatesTest", "Report"]
