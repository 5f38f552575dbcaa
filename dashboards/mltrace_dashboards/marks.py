"""What happened to components, as annotations of a Grafana. In: mltrace's API. Out: marks.

Our own dashboards find these by themselves; the annotations are for dashboards of others, such as
those of the machines that a pipeline runs on. Each is known by a tag, and set once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby

from mltrace_dashboards.connection import Connection
from mltrace_otel.contract.api import Flag, FlagState, RunStatus, RunSummary
from mltrace_otel.questions.api_client import ApiClient

TAG = "mltrace"
LIMIT = 1000
"""Runs, and flags, that are looked at."""

_ANNOTATIONS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation.

    Attributes:
        key: by which it is known, also a tag.
        kind: what happened, also a tag.
        component: to which component, also a tag; empty if to none.
        moment: when.
        text: what people read, as HTML.
    """

    key: str
    kind: str
    component: str
    moment: datetime
    text: str

    @property
    def tags(self) -> list[str]:
        """Its tags, by which dashboards choose what they show."""
        about = [f"component:{self.component}"] if self.component else []
        return [TAG, self.kind, *about, self.key]


def find_marks(api: ApiClient, since: datetime, panel_url: str) -> list[Mark]:
    """Return what happened since then: failed runs and tests, new commits, flags.

    Of more than `LIMIT` of each kind the newest count.
    """
    failed = api.list_runs(limit=LIMIT, status=RunStatus.ERROR, since=since).items
    tested = api.list_runs(limit=LIMIT, status=RunStatus.TESTS_FAILED, since=since).items
    newest = api.list_runs(limit=LIMIT, since=since).items
    flags = api.list_flags(state=FlagState.ALL, limit=LIMIT)
    return [
        *(_mark_run(run, "failed run", run.message or "it raised", panel_url) for run in failed),
        *(_mark_run(run, "failed tests", "tests failed", panel_url) for run in tested),
        *(
            _mark_run(run, "new commit", f"commit {run.git_hash}", panel_url)
            for run in _find_new_commits(newest)
        ),
        *_mark_flags([flag for flag in flags if flag.flagged_at >= since], panel_url),
    ]


def annotate(grafana: Connection, marks: Iterable[Mark]) -> Iterator[Mark]:
    """Set the marks that are not set yet; return these as they are set.

    Raises:
        GrafanaError: Grafana does not let us.
    """
    known = {
        tag
        for each in grafana.ask(
            lambda api: api.annotations.find_annotations(tags=[TAG], limit=_ANNOTATIONS_LIMIT),
            "look at annotations",
        )
        for tag in each["tags"]
    }
    for mark in marks:
        if mark.key not in known:
            _set(grafana, mark)
            yield mark


def _set(grafana: Connection, mark: Mark) -> None:
    moment_ms = int(mark.moment.timestamp() * 1000)
    grafana.ask(
        lambda api: api.annotations.add_annotation(
            time_from=moment_ms, time_to=moment_ms, tags=mark.tags, text=mark.text
        ),
        "set annotations",
    )


def _find_new_commits(runs: Iterable[RunSummary]) -> Iterator[RunSummary]:
    """Return the runs whose commit is another than that of their component's run before."""
    ordered = sorted(runs, key=lambda run: (run.component, run.started_at, run.id))
    for _, history in groupby(ordered, key=lambda run: run.component):
        before: str | None = None
        for run in history:
            if before and run.git_hash and run.git_hash != before:
                yield run
            before = run.git_hash or before


def _mark_run(run: RunSummary, kind: str, what: str, panel_url: str) -> Mark:
    link = f"{panel_url.rstrip('/')}/runs/{run.id}"
    text = f'<a href="{escape(link)}">{escape(run.component)} {run.id}</a>: {escape(what)}'
    key = f"mltrace:{kind.replace(' ', '-')}:{run.id}"
    return Mark(key, kind, run.component, run.ended_at or run.started_at, text)


def _mark_flags(flags: Iterable[Flag], panel_url: str) -> Iterator[Mark]:
    """Outputs that were flagged together make one mark."""
    link = escape(f"{panel_url.rstrip('/')}/review")
    ordered = sorted(flags, key=lambda flag: (flag.flagged_at, flag.reason or "", flag.id))
    for (moment, reason), group in groupby(
        ordered, key=lambda flag: (flag.flagged_at, flag.reason or "")
    ):
        first, *more = group
        what = escape(first.output) + (f" and {len(more)} more" if more else "")
        why = f": {escape(reason)}" if reason else ""
        text = f'<a href="{link}">{what}</a> flagged as wrong{why}'
        yield Mark(f"mltrace:flag:{first.id}", "flag", "", moment, text)
