"""The demo's words. In: findings. Out: what a terminal shows."""

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mltrace_exporter.demo.facts import MISS_LIMIT_H
from mltrace_exporter.demo.findings import FOUND_LIMIT, Findings
from mltrace_otel.contract.api import TestOutcome

_MINUTES_AN_HOUR = 60
_FAILED = "fail"
_DRIFTS_SHOWN = 2


def render_story(
    findings: Findings, panel: str, program: str, address: str | None
) -> RenderableType:
    """Return what happened, what the review says, and how to look for oneself.

    Args:
        findings: what happened.
        panel: URL of the panel.
        program: what to type for `mltrace`.
        address: what the commands need as --address; None if they find the server by themselves.
    """
    return Group(
        *_section("What happened", *_tell(findings)),
        *_section("Runs that the flagged predictions have in common", *_rank(findings)),
        *_section(
            "Look for yourself", *_suggest(findings, program, address), f"Panel: {panel}/review"
        ),
    )


def render_verdict(findings: Findings) -> Text:
    """Return whether the review found the culprit."""
    culprit = _name(findings)
    if findings.place is None:
        return Text(f"The review did not find {culprit}.", style="bold red")
    verdict = f"The review puts {culprit} in place {findings.place}"
    among = f" of {len(findings.review.candidates)}."
    return Text(verdict + among, style="bold green" if findings.found else "bold red")


def _section(title: str, *lines: RenderableType) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    for line in lines:
        yield Padding(line, (0, 0, 0, 2), expand=False)


def _tell(findings: Findings) -> Iterator[str]:
    yield (
        f"In {findings.run_count} runs the pipeline ingested, cleaned and joined the flights of "
        f"2013, trained every week and made {findings.prediction_count:,} predictions."
    )
    yield (
        "In August the feed delivered delays in seconds. ingest took them for minutes: "
        f"run {findings.culprit.summary.id}."
    )
    noticed = "; ".join(_explain_failures(findings.culprit.test_outcomes))
    yield f"Its tests noticed: {noticed or 'nothing'}."
    yield f"Its data had drifted from the months before: {_sum_up(findings.drifts)}."
    later = [f"{count} of {name}" for name, count in findings.later_failures.items()]
    yield f"The pipeline went on. Later runs with failed tests: {', '.join(later) or 'none'}."
    worst_h = {
        name: float(findings.worst[name]) / _MINUTES_AN_HOUR
        for name in ("predicted_min", "arrived_min")
    }
    yield (
        f"{findings.review.flag_count} predictions, each more than {MISS_LIMIT_H} hours off, are "
        f"flagged. The worst: {findings.worst['id']}, {worst_h['arrived_min']:.1f} h late, "
        f"was predicted {worst_h['predicted_min']:.1f} h."
    )


def _explain_failures(outcomes: list[TestOutcome]) -> list[str]:
    # An assertion says what it compared, then after a colon what that means.
    failed = [outcome for outcome in outcomes if outcome.status == _FAILED]
    return [f"{one.suite}: {(one.message or one.case).rpartition(' : ')[2]}" for one in failed]


def _rank(findings: Findings) -> Iterator[RenderableType]:
    for place, candidate in enumerate(findings.review.candidates[:FOUND_LIMIT], start=1):
        run = candidate.run
        part = f" of {run.partition}" if run.partition else ""
        yield (
            f"{place}. {run.component}, run {run.id}{part}: behind {candidate.coverage:.0%} of "
            f"them, suspicion {candidate.suspicion:.2f}"
        )
        for sentence in candidate.evidence:
            yield Padding(sentence, (0, 0, 0, 3), expand=False)


def _sum_up(drifts: Sequence[str]) -> str:
    shown = "; ".join(drifts[:_DRIFTS_SHOWN]) or "not at all"
    hidden = len(drifts) - _DRIFTS_SHOWN
    return f"{shown}; and {hidden} more" if hidden > 0 else shown


def _suggest(findings: Findings, program: str, address: str | None) -> Iterator[Text]:
    where = [] if address is None else ["--address", address]
    for question in (
        ["review"],
        ["trace", findings.worst["id"]],
        ["inspect", str(findings.culprit.summary.id)],
        ["drift", str(findings.culprit.summary.id)],
    ):
        yield Text(shlex.join([program, *question, *where]), style="cyan")


def _name(findings: Findings) -> str:
    run = findings.culprit.summary
    return f"{run.component}'s run {run.id} of {run.partition}"
