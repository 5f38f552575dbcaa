"""A component's earlier runs, as its tests see them. In: what to know. Out: that, newest first.

Everything is asked from the server when it is used, once a run, and waited for no longer than
`patience` has. Every method raises `NoHistory`, which skips the test that asked, if there is no
answer. A component that has not run yet has an empty past.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

from mltrace_otel.contract.outcomes import TestOutcome
from mltrace_otel.questions.patience import Patience

if TYPE_CHECKING:
    from mltrace_otel.contract.api import RunProfile, RunSummary, Trial
    from mltrace_otel.questions.api_client import ApiClient

_Item = TypeVar("_Item")

_LAST = 10
_MOST = 100


class PastRuns:
    """What is known of a component's earlier runs: the argument ``history`` of a test's method.

    All lists are newest first and empty where nothing was recorded. Whatever is asked twice in one
    run is asked from the server once.

    Args:
        component: name of the component.
        phase: when the test runs, ``before`` or ``after`` the function.
        patience: how long to wait for answers.
    """

    def __init__(
        self, component: str, phase: str = "after", patience: Patience | None = None
    ) -> None:
        self.component = component
        self._preferred = "input" if phase == "before" else "output"
        self._patience = patience or Patience()

    def of(self, component: str) -> "PastRuns":
        """Return the earlier runs of another component."""
        return PastRuns(component, "before", self._patience)

    @property
    def runs(self) -> "list[RunSummary]":
        """Its runs that have ended, at most a hundred.

        Raises:
            NoHistory: there was no answer in time.
        """
        return self._ask("runs", self._list_runs)

    def outcomes(self, test: str | None = None, *, last: int = _LAST) -> list[TestOutcome]:
        """Return how tests ended in the last runs.

        Args:
            test: only this one: name of its method, or of its suite and its method, with a dot
                between.
            last: how many runs to look at, at most a hundred.

        Raises:
            NoHistory: there was no answer in time.
        """
        found = self._ask(
            ("tests", last), lambda api: api.list_tests(self.component, limit=min(last, _MOST))
        )
        asked = [
            (trial.started_at, TestOutcome(each.suite, each.case, each.phase, *_tell(trial)))
            for each in found
            if test in {None, each.case, f"{each.suite}.{each.case}"}
            for trial in each.trials
        ]
        return [outcome for _, outcome in sorted(asked, key=lambda each: each[0], reverse=True)]

    def profiles(self, variable: str, *, last: int = _LAST) -> "list[RunProfile]":
        """Return how a variable was distributed in the last runs that told of it.

        Where it was both read and written, a test before the function sees what was read, one after
        it what was written.

        Args:
            variable: its name.
            last: how many runs to look at, at most fifty.

        Raises:
            NoHistory: there was no answer in time.
        """
        limit = min(last, _MOST // 2)
        found = self._ask(
            ("profiles", variable, limit),
            lambda api: api.list_profiles(self.component, variable=variable, limit=2 * limit),
        )
        of_runs: dict[int, RunProfile] = {}
        for each in found:
            if each.run_id not in of_runs or each.direction == self._preferred:
                of_runs[each.run_id] = each
        return list(of_runs.values())[:limit]

    def row_counts(self, variable: str, *, last: int = _LAST) -> list[int]:
        """Return how many rows a variable had in the last runs, as `profiles` finds them.

        Raises:
            NoHistory: there was no answer in time.
        """
        return [each.profile.rows for each in self.profiles(variable, last=last)]

    def metrics(self, name: str, *, last: int = _LAST) -> list[float]:
        """Return a metric of the last runs that have it: what was logged, else what was given.

        What was no number, or infinite, is NaN.

        Args:
            name: of the metric; of a number that the function gave, its variable.
            last: how many runs to look at, at most a hundred.

        Raises:
            NoHistory: there was no answer in time.
        """
        limit = min(last, _MOST)
        found = self._ask(
            ("metrics", name, limit),
            lambda api: api.list_metrics(self.component, metric=name, limit=limit),
        )
        points = next((each.points for each in found), [])
        return [math.nan if point.value is None else point.value for point in points]

    def _list_runs(self, api: "ApiClient") -> "list[RunSummary]":
        from mltrace_otel.contract.api import RunStatus  # noqa: PLC0415 - as below

        status = RunStatus.ENDED
        return api.list_runs(component=self.component, status=status, limit=_MOST).items

    def _ask(
        self, what: Hashable, question: "Callable[[ApiClient], Sequence[_Item]]"
    ) -> list[_Item]:
        return list(self._patience.ask((self.component, what), question) or ())


def _tell(trial: "Trial") -> tuple[str, str | None, float | None]:
    return trial.status, trial.message, trial.duration_s
