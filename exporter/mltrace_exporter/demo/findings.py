"""The search for the culprit, as somebody on call would do it. In: the API. Out: what was found."""

import csv
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mltrace_exporter.demo.facts import CHANGED_MONTH, COMPLAINTS, MISS_LIMIT_H
from mltrace_exporter.errors import Unavailable
from mltrace_otel.contract.api import FlagRequest, Review, Run, RunSummary, TestVerdict
from mltrace_otel.questions.api_client import ApiClient

FOUND_LIMIT = 3
_RUNS_LIMIT = 1000
_ARRIVAL_LIMIT_S, _POLL_S = 60.0, 0.2


@dataclass(frozen=True, slots=True)
class Findings:
    """What happened and what the review made of it.

    Attributes:
        run_count: runs of the whole year.
        prediction_count: predictions of the whole year.
        worst: the prediction that was furthest off, with the minutes predicted and the real ones.
        culprit: the run that took in the changed file.
        later_failures: later runs with failed tests, by component.
        drifts: how the culprit's data differs from the months before, the worst first.
        review: the runs that the flagged predictions have in common.
        place: of the culprit in the review, from 1; None if it is not in it.
    """

    run_count: int
    prediction_count: int
    worst: dict[str, str]
    culprit: Run
    later_failures: dict[str, int]
    drifts: list[str]
    review: Review
    place: int | None

    @property
    def found(self) -> bool:
        """True if the culprit is among the first of the review."""
        return self.place is not None and self.place <= FOUND_LIMIT


def await_runs(api: ApiClient, home: Path, since: datetime) -> None:
    """Wait until the predictions of the whole year are stored: a collector may hold them a moment.

    Raises:
        Unavailable: they do not come.
    """
    made = len(list((home / "predictions").iterdir()))
    deadline_s = time.monotonic() + _ARRIVAL_LIMIT_S
    while api.count_runs(component="inference", since=since) < made:
        if time.monotonic() > deadline_s:
            raise Unavailable(
                f"The runs did not arrive within {_ARRIVAL_LIMIT_S:.0f} s: does what listens at "
                "--endpoint send them to the server at --address?"
            )
        time.sleep(_POLL_S)


def search(api: ApiClient, home: Path) -> Findings:
    """Flag what passengers complained about, review it, and compare with what we did."""
    with (home / COMPLAINTS).open(newline="") as file:
        complaints = list(csv.DictReader(file))
    reason = f"arrival missed by more than {MISS_LIMIT_H} hours"
    outputs = [complaint["id"] for complaint in complaints]
    api.flag_outputs(FlagRequest(outputs, reason=reason, by="passengers"))
    review = api.review_flags(limit=_RUNS_LIMIT)
    runs = {part.name: _list_runs(api, part.name) for part in api.list_components()}
    culprit = next(run for run in runs["ingest"] if run.partition == CHANGED_MONTH)
    ranked = [candidate.run.id for candidate in review.candidates]
    return Findings(
        run_count=sum(map(len, runs.values())),
        # Beside the ids, each run gives a table and the file that it writes.
        prediction_count=sum(run.output_count - 2 for run in runs["inference"]),
        worst=complaints[0],
        culprit=api.get_run(str(culprit.id)),
        later_failures=_count_failures(runs, culprit),
        drifts=[
            f"{each.variable}: {sentence}"
            for each in api.tell_drift(str(culprit.id)).variables
            for sentence in each.sentences
        ],
        review=review,
        place=ranked.index(culprit.id) + 1 if culprit.id in ranked else None,
    )


def _list_runs(api: ApiClient, component: str) -> list[RunSummary]:
    return api.list_runs(component=component, limit=_RUNS_LIMIT).items


def _count_failures(runs: dict[str, list[RunSummary]], culprit: RunSummary) -> dict[str, int]:
    failed = {
        name: sum(run.tests is TestVerdict.FAILED and run.id != culprit.id for run in its_runs)
        for name, its_runs in runs.items()
    }
    return {name: count for name, count in failed.items() if count}
