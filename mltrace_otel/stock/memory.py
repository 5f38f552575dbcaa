"""Tests that hold a value against what it was in earlier runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from mltrace_otel.datatests import Finding, NoHistory
from mltrace_otel.errors import SetupError
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.rules import MEASURES, Rule
from mltrace_otel.profiles.shapes import Profile
from mltrace_otel.profiles.verdicts import DriftMethod
from mltrace_otel.profiling import make_profile
from mltrace_otel.questions.past import PastRuns
from mltrace_otel.stock.columns import read_table
from mltrace_otel.stock.variables import VariableTest
from mltrace_otel.stock.wording import fail_with, number

_LAST = 10


class ProfileTest(VariableTest):
    """A test of how a variable is distributed; see `NoDrift` and `NoSkew`.

    Raises:
        SetupError: there is no such measure, or the threshold is not above 0.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen
        self,
        variable: str,
        columns: str | Iterable[str] = (),
        *,
        last: int = _LAST,
        measure: str = "psi",
        threshold: float | None = None,
        recorded: str = "",
        name: str = "",
    ) -> None:
        super().__init__(variable, columns, name)
        if measure not in list(MEASURES):
            raise SetupError(f"There is no measure {measure!r}: choose {', '.join(MEASURES)}.")
        if threshold is not None and not threshold > 0:
            raise SetupError(f"threshold={threshold!r} makes no sense: give a number above 0.")
        self.last = last
        self.recorded = recorded or variable
        self.rule = Rule(DriftMethod(measure), threshold, rows=None)

    def compare(self, value: object, history: PastRuns) -> None:
        """Compare a value with earlier runs.

        Raises:
            Finding: it drifted.
            NoHistory: there are none.
        """
        found = history.profiles(self.recorded, last=self.last)
        if not found:
            raise _find_nothing(history, self.recorded)
        now = make_profile(self.recorded, value)
        if now is None:
            raise Finding(f"A {type(value).__name__} is no table, array or list of numbers.")
        missing = sorted({*self.columns} - {column.name for column in now.columns})
        if missing:
            raise Finding(f"There is no column {' and '.join(missing)}.")
        before = [_keep(each.profile, self.columns) for each in reversed(found)]
        verdict = judge_profile(_keep(now, self.columns), before, self.rule)
        fail_with(f"{sentence}." for sentence in verdict.sentences)


class NoDrift(ProfileTest):
    """A table, array or list of numbers holds what it held in earlier runs of the component.

    Distributions, missing values, the range of numbers, and values that were never there are judged
    as `mltrace drift` judges them: what changed must be large, not by chance, and more than what
    the earlier runs differ by. Without earlier profiles of the variable the test is skipped.

    Args:
        variable: name of the variable.
        columns: columns to look at; all if none is named.
        last: with how many runs it is compared, at most fifty.
        measure: how far distributions are apart: ``psi``, ``ks`` or ``jensen_shannon``.
        threshold: how far apart they may be; by default 0.2, 0.18 or 0.19.
        recorded: what the function calls the variable, if that is something else.
        name: what the test is called.
    """

    def test_no_drift(self, value: object, history: PastRuns) -> None:
        """No column has drifted."""
        self.compare(value, history)


class NoSkew(ProfileTest):
    """What a component works on is what another one was built on: serving is like training.

    The value is compared with the newest run of the other component that profiled the variable, and
    judged as by `NoDrift`. Inputs are profiled where that is asked: ``run(profiles="all")``.

    Args:
        variable: name of the variable.
        component: the other component, such as ``training``.
        columns: columns to look at; all if none is named.
        recorded: what the variable is called there, if that is something else.
        measure: as for `NoDrift`.
        threshold: as for `NoDrift`.
        name: what the test is called.
    """

    def __init__(  # noqa: PLR0913 - what can be chosen
        self,
        variable: str,
        component: str,
        columns: str | Iterable[str] = (),
        *,
        recorded: str = "",
        measure: str = "psi",
        threshold: float | None = None,
        name: str = "",
    ) -> None:
        super().__init__(
            variable,
            columns,
            last=1,
            measure=measure,
            threshold=threshold,
            recorded=recorded,
            name=name,
        )
        self.component = component

    def test_no_skew(self, value: object, history: PastRuns) -> None:
        """No column differs from what the other component was built on."""
        self.compare(value, history.of(self.component))


class RowCount(VariableTest):
    """There are about as many rows as in earlier runs.

    Without earlier profiles of the variable the test is skipped.

    Args:
        variable: name of the variable.
        factor: by which factor the number may differ from the median of earlier runs.
        last: how many runs are looked at, at most fifty.
        recorded: what the function calls the variable, if that is something else.
        name: what the test is called.

    Raises:
        SetupError: the factor is below 1.
    """

    def __init__(
        self,
        variable: str,
        *,
        factor: float = 2.0,
        last: int = _LAST,
        recorded: str = "",
        name: str = "",
    ) -> None:
        super().__init__(variable, (), name)
        if not factor >= 1:
            raise SetupError(f"factor={factor!r} makes no sense: give a number from 1.")
        self.factor, self.last, self.recorded = factor, last, recorded or variable

    def test_row_count(self, value: object, history: PastRuns) -> None:
        """The number of rows is within a factor of what is usual."""
        counts = history.row_counts(self.recorded, last=self.last)
        if not counts:
            raise _find_nothing(history, self.recorded)
        rows, usual = read_table(value).rows, median(counts)
        if max(rows, usual) > self.factor * min(rows, usual):
            plural = "" if len(counts) == 1 else "s"
            raise Finding(
                f"{rows:,} row{'' if rows == 1 else 's'}; the median of {len(counts)} earlier "
                f"run{plural} is {number(usual)}, and a factor of {number(self.factor)} is allowed."
            )


def _find_nothing(history: PastRuns, variable: str) -> NoHistory:
    return NoHistory(f"no earlier run of {history.component} profiled {variable}")


def _keep(profile: Profile, names: Sequence[str]) -> Profile:
    if not names:
        return profile
    columns = tuple(column for column in profile.columns if column.name in names)
    return replace(profile, columns=columns, columns_left_out=0)
