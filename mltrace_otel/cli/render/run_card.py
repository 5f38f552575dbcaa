"""One run in full, names whole and times exact."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.layout import lines, section
from mltrace_otel.cli.render.notes import list_notes
from mltrace_otel.cli.render.profile import list_metrics, list_summaries
from mltrace_otel.cli.render.words import (
    ago,
    block,
    command,
    count,
    exact,
    found,
    printable,
    size,
    status,
    took,
    warnings,
)
from mltrace_otel.contract.api import Pointer, Run, TestOutcome, UpstreamVerdict

_POINTERS_SHOWN = 30
_DIGEST_LENGTH = 24
_FAULTS_SHOWN = 5


def render_run(run: Run, now: datetime) -> RenderableType:
    """Return everything that is known about a run."""
    return Group(_head(run), _facts(run, now), *_sections(run, now))


def _head(run: Run) -> RenderableType:
    title = Text(printable(run.summary.component), style="bold", overflow="fold")
    title.append(f"  run {run.summary.id}", style="not bold")
    parts: list[Text | str] = [title, status(run.summary)]
    if run.description:
        parts.append(block(run.description))
    return Group(lines(*parts), "")


def _facts(run: Run, now: datetime) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _list_facts(run, now):
        if value:
            grid.add_row(label, Text(printable(value)))
    return grid


def _list_facts(run: Run, now: datetime) -> Iterator[tuple[str, str | None]]:
    summary = run.summary
    yield "Started", f"{exact(summary.started_at)} ({ago(summary.started_at, now)})"
    if summary.ended_at is not None:
        yield "Ended", f"{exact(summary.ended_at)} (took {took(summary.duration_s)})"
    yield "Owner", summary.owner
    yield "Tags", ", ".join(summary.tags)
    yield "Partition", summary.partition
    yield "Part of", None if run.parent_id is None else f"run {run.parent_id}"
    yield "Commit", summary.git_hash
    yield "", "with changes that were not committed" if run.git_dirty else None
    yield "Branch", run.git_ref
    yield "Git tags", ", ".join(summary.git_tags)
    yield "Repository", run.git_repository
    yield "Span", f"{summary.span_id} of trace {summary.trace_id}"
    yield "Where", _spell(run.resource)
    yield "Attributes", _spell(run.attributes)


def _spell(values: Mapping[str, object]) -> str:
    kept = {key: value for key, value in values.items() if not key.startswith("telemetry.sdk.")}
    return ", ".join(f"{key}={value}" for key, value in sorted(kept.items()))


def _sections(run: Run, now: datetime) -> Iterator[RenderableType]:
    summary = run.summary
    if summary.message or run.error_type:
        yield section("Error", lines(*_explain_error(run)))
    if summary.stale:
        yield section("Stale", lines(*warnings(reason.sentence for reason in summary.stale)))
    if run.test_outcomes:
        yield section(f"Tests ({len(run.test_outcomes):,})", _tests(run.test_outcomes))
    producers = {dependency.id: dependency.component for dependency in run.dependencies}
    yield section(
        f"Inputs ({summary.input_count:,})", _io(run.inputs, summary.input_count, producers)
    )
    yield section(f"Outputs ({summary.output_count:,})", _io(run.outputs, summary.output_count, {}))
    if run.profiles:
        told = [*list_summaries(run.profiles), command("profile", str(summary.id))]
        yield section(f"Distributions ({len(run.profiles):,})", lines(*told))
    if run.metrics:
        yield section(f"Metrics ({len(run.metrics):,})", lines(*list_metrics(run.metrics)))
    if run.dependencies:
        yield section(f"Depends on ({len(run.dependencies):,})", _dependencies(run))
    if run.upstream and run.upstream.run_count:
        yield section("Upstream", _judge_upstream(run.upstream))
    yield from _more_sections(run, now)


def _more_sections(run: Run, now: datetime) -> Iterator[RenderableType]:
    if run.note_history:
        yield section("Notes", lines(*list_notes(run.note_history, now)))
    if run.code:
        yield _code(run, run.code)
    if run.outputs:
        yield section("Next", command("trace", run.outputs[0].name))


def _explain_error(run: Run) -> Iterator[Text]:
    """Say how the function failed: the error's type and message each once."""
    message, stacktrace = run.summary.message or "", run.stacktrace or ""
    if run.error_type and run.error_type.rpartition(".")[2] not in message:
        message = f"{run.error_type}: {message}" if message else run.error_type
    if stacktrace:
        yield Text(block(stacktrace.rstrip()), style="dim", overflow="fold")
    if not stacktrace.rstrip().endswith(message):
        yield Text(block(message), overflow="fold")


def _tests(outcomes: Sequence[TestOutcome]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for outcome in outcomes:
        verdict = found(outcome.status)
        what = Text(printable(f"{outcome.suite}.{outcome.case}"))
        if outcome.duration_s is not None:
            what.append(f" · {took(outcome.duration_s)}", style="dim")
        if outcome.message:
            what.append(f"\n{block(outcome.message)}", style=verdict.style)
        grid.add_row(verdict, Text(printable(outcome.phase), style="dim"), what)
    return grid


def _io(pointers: Sequence[Pointer], total: int, producers: Mapping[int, str]) -> RenderableType:
    shown = pointers[:_POINTERS_SHOWN]
    parts = [_pointer(pointer, producers) for pointer in shown]
    if total > len(shown):
        listed = "all" if total == len(pointers) else f"the first {len(pointers):,}"
        rest = f"and {total - len(shown):,} more; --json lists {listed}"
        parts.append(Text(rest, style="dim"))
    return lines(*(parts or [Text("none", style="dim")]))


def _pointer(pointer: Pointer, producers: Mapping[int, str]) -> Text:
    line = Text(printable(pointer.name), overflow="fold")
    for fact in _describe(pointer, producers):
        line.append(f" · {printable(fact)}", style="dim")
    if pointer.flagged:
        line.append(" · flagged", style="bold red")
    if pointer.content_changed_outside:
        line.append(" · content changed outside since it was written", style="yellow")
    return line


def _describe(pointer: Pointer, producers: Mapping[int, str]) -> Iterator[str]:
    if pointer.type != "unknown":
        yield pointer.type
    if pointer.size_bytes is not None:
        yield size(pointer.size_bytes)
    if pointer.digest:
        yield pointer.digest[:_DIGEST_LENGTH]
    if pointer.labels:
        yield f"labels {', '.join(pointer.labels)}"
    if pointer.producer_id is not None:
        producer = producers.get(pointer.producer_id, "a component")
        yield f"from {producer} (run {pointer.producer_id})"


def _dependencies(run: Run) -> RenderableType:
    parts = []
    for dependency in run.dependencies[:_POINTERS_SHOWN]:
        line = Text(printable(dependency.component), overflow="fold")
        line.append(f" (run {dependency.id}) · ").append_text(status(dependency))
        parts.append(line)
    hidden = len(run.dependencies) - len(parts)
    if hidden:
        parts.append(Text(f"and {count(hidden, 'more')}", style="dim"))
    return lines(*parts)


def _judge_upstream(verdict: UpstreamVerdict) -> RenderableType:
    looked_at = "the nearest " if verdict.truncated else ""
    faults = [
        (count(verdict.failed_tests, "failed test"), verdict.failed_tests),
        (count(verdict.stale, "stale run"), verdict.stale),
        (count(verdict.error, "failed run"), verdict.error),
        (count(verdict.aborted, "aborted run"), verdict.aborted),
    ]
    among = f"among {looked_at}{count(verdict.run_count, 'earlier run')}"
    found = [f"{words} {among}" for words, number in faults if number]
    found += [f"{fault.sentence} (run {fault.run_id})" for fault in verdict.faults[:_FAULTS_SHOWN]]
    return lines(*(warnings(found) if found else [Text(f"nothing wrong {among}", style="green")]))


def _code(run: Run, code: str) -> RenderableType:
    place = ":".join(str(part) for part in (run.code_file, run.code_line) if part)
    words = [
        "Code",
        *(printable(word) for word in (run.code_function, place and f"({place})") if word),
    ]
    source = Syntax(
        block(code).rstrip(),
        "python",
        theme="ansi_dark",
        background_color="default",
        line_numbers=run.code_line is not None,
        start_line=run.code_line or 1,
        word_wrap=True,
    )
    return section(" ".join(words), source)
