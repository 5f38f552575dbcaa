"""Component runs in the wire format. In: a run and what is known of its code. Out: span parts.

Pure. Keys and meanings: `mltrace_otel.contract.attributes`.
"""

from collections.abc import Mapping, Sequence

from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, SpanContext

from mltrace_otel.contract import attributes as key
from mltrace_otel.contract.api import TestOutcome
from mltrace_otel.pointers import IOPointer
from mltrace_otel.provenance import Repository, Source
from mltrace_otel.runs import ComponentRun

Value = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, Value]

NAMES_PER_LINK = 10_000


def describe_component(
    name: str, owner: str, description: str, tags: Sequence[str]
) -> dict[str, Value]:
    """Return what a run says about its component."""
    said: dict[str, Value | None] = {
        key.COMPONENT_NAME: name,
        key.COMPONENT_OWNER: owner,
        key.COMPONENT_DESCRIPTION: description,
        key.COMPONENT_TAGS: list(tags),
    }
    return _keep_said(said)


def describe_code(source: Source, repository: Repository | None) -> dict[str, Value]:
    """Return what a run says about its function and the repository that holds it."""
    said: dict[str, Value | None] = {
        key.CODE_FUNCTION_NAME: source.function,
        key.CODE_FILE_PATH: source.file,
        key.CODE_LINE_NUMBER: source.line,
        key.CODE_SNAPSHOT: source.text,
    }
    if repository:
        said |= {
            key.VCS_REVISION: repository.revision,
            key.VCS_REF: repository.branch,
            key.VCS_REPOSITORY: repository.url,
            key.VCS_TAGS: list(repository.tags),
            key.VCS_DIRTY: repository.dirty,
        }
    return _keep_said(said)


def describe_run(run: ComponentRun) -> dict[str, Value]:
    """Return what a run says of itself, besides its component and its decorated function."""
    said: dict[str, Value | None] = {
        key.RUN_NOTES: run.notes,
        key.RUN_STALENESS_THRESHOLD: run.staleness_threshold_s,
        key.RUN_UPSTREAM: list(run.upstream),
        key.RUN_PARTITION: run.partition,
        key.VCS_REVISION: run.git_hash,
        key.VCS_TAGS: list(run.git_tags),
        key.CODE_SNAPSHOT: run.code_snapshot,
    }
    described = _keep_said(said)
    if not run.infers_dependencies:
        described[key.RUN_INFERS_DEPENDENCIES] = False
    return described


def make_links(run: ComponentRun, own: SpanContext = INVALID_SPAN_CONTEXT) -> list[Link]:
    """Return links for what the run read and wrote; where no producer is known, to itself.

    Pointers that differ by their names only share a link, so that a batch of 10,000 prediction ids
    is one link.
    """
    links = []
    for direction, pointers in (("input", run.inputs), ("output", run.outputs)):
        plain = [p for p in pointers if _is_plain(p)]
        for type_ in dict.fromkeys(p.type for p in plain):
            names = [p.name for p in plain if p.type is type_]
            for start in range(0, len(names), NAMES_PER_LINK):
                part = names[start : start + NAMES_PER_LINK]
                shared = {key.IO_DIRECTION: direction, key.IO_TYPE: type_.value}
                links.append(Link(own, {**shared, **_name(part)}))
        links += [_make_link(direction, p, own) for p in pointers if not _is_plain(p)]
    return links


def _is_plain(pointer: IOPointer) -> bool:
    return not (pointer.digest or pointer.producer or pointer.labels)


def _name(names: list[str]) -> dict[str, Value]:
    return {key.IO_NAME: names[0]} if len(names) == 1 else {key.IO_NAMES: names}


def _make_link(direction: str, pointer: IOPointer, own: SpanContext) -> Link:
    said: dict[str, Value | None] = {
        key.IO_DIRECTION: direction,
        key.IO_NAME: pointer.name,
        key.IO_TYPE: pointer.type.value,
        key.IO_DIGEST: pointer.digest,
        key.IO_SIZE: pointer.size_bytes,
        key.IO_LABELS: list(pointer.labels),
    }
    return Link(pointer.producer or own, _keep_said(said))


def describe_test(outcome: TestOutcome) -> dict[str, Value]:
    """Return what a test event says."""
    said: dict[str, Value | None] = {
        key.TEST_SUITE: outcome.suite,
        key.TEST_CASE: outcome.case,
        key.TEST_STATUS: outcome.status,
        key.TEST_PHASE: outcome.phase,
        key.TEST_MESSAGE: outcome.message,
        key.TEST_DURATION: outcome.duration_s,
    }
    return _keep_said(said)


def _keep_said(said: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in said.items() if value not in (None, "", [])}
