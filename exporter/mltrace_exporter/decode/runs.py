"""What a span says, in the words of the wire format, becomes a component run.

An attribute of another type than the wire format declares is no error: it stays among the run's
remaining attributes, where people can see it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from mltrace_exporter.decode.distributions import read_metrics, read_profiles
from mltrace_exporter.decode.fields import (
    Rest,
    get_duration,
    get_text,
    shorten,
    take_bool,
    take_count,
    take_duration,
    take_text,
    take_texts,
)
from mltrace_exporter.decode.identity import is_span_id, read_id, read_times
from mltrace_exporter.decode.pointers import read_io
from mltrace_exporter.decode.spans import Attributes, Event, Recalled, Span, Unreadable
from mltrace_exporter.model import Run, TestResult, Words
from mltrace_otel.contract import attributes as names
from mltrace_otel.contract.outcomes import TestStatus

# Names that stand in the database's indexes are cut: a row of an index holds 2,700 bytes.
NAME_LIMIT_BYTES = 500
TEST_NAME_LIMIT_BYTES = 300

PROFILE_FAULTS = "mltrace.profile.faults"
"""Among a run's other attributes: why some of its profiles could not be read."""

_REMEMBERED_FACTS = 1024
_DURATION_LIMIT_S = 1e10
_TEST_STATUSES = frozenset(TestStatus)
_LINE_LIMIT = 2**31
_EXCEPTION_EVENT = "exception"
_STACKTRACE = "exception.stacktrace"


class _Facts(NamedTuple):
    """What a run's attributes say, and what is left of them: change it in a copy."""

    component: str
    words: Words | None
    notes: str | None
    partition: str | None
    staleness_threshold_s: float | None
    upstream: tuple[str, ...]
    infers_dependencies: bool
    code: str | None
    code_function: str | None
    code_file: str | None
    code_line: int | None
    git_hash: str | None
    git_ref: str | None
    git_repository: str | None
    git_tags: tuple[str, ...]
    git_dirty: bool | None
    rest: Rest


def read_run(span: Span) -> Run:
    """Return the component run that a span tells of.

    Raises:
        Unreadable: the span has no name, no id or no time that can be stored.
    """
    said = span.attributes
    facts = _recall_facts(said) if isinstance(said, Recalled) else _read_facts(said)
    id_ = read_id(span.trace_id, span.span_id)
    if id_ is None:
        raise Unreadable("It has no valid trace id and span id.")
    started_at, ended_at = read_times(span)
    rest = dict(facts.rest)
    error_type, message = _read_failure(span, rest)
    profiles, faults = read_profiles(span.events)
    if faults:
        rest[PROFILE_FAULTS] = faults
    return Run(
        id=id_,
        component=facts.component,
        started_at=started_at,
        ended_at=ended_at,
        execution="error" if span.failed else "ok",
        parent_span_id=span.parent_span_id if is_span_id(span.parent_span_id) else None,
        words=facts.words,
        message=message,
        error_type=error_type,
        notes=facts.notes,
        partition=facts.partition,
        staleness_threshold_s=facts.staleness_threshold_s,
        upstream=facts.upstream,
        infers_dependencies=facts.infers_dependencies,
        code=facts.code,
        code_function=facts.code_function,
        code_file=facts.code_file,
        code_line=facts.code_line,
        git_hash=facts.git_hash,
        git_ref=facts.git_ref,
        git_repository=facts.git_repository,
        git_tags=facts.git_tags,
        git_dirty=facts.git_dirty,
        io=read_io(span, rest, id_),
        tests=tuple(_read_tests(span.events)),
        profiles=profiles,
        metrics=read_metrics(span.events),
        resource=span.resource,
        attributes=rest,
    )


def _read_facts(said: Attributes) -> _Facts:
    rest = dict(said)
    component = take_text(rest, names.COMPONENT_NAME)
    if not component:
        raise Unreadable(f"{names.COMPONENT_NAME} is no string, or empty.")
    return _Facts(
        component=shorten(component, NAME_LIMIT_BYTES),
        words=_read_words(rest),
        notes=take_text(rest, names.RUN_NOTES),
        partition=take_text(rest, names.RUN_PARTITION),
        staleness_threshold_s=take_duration(rest, names.RUN_STALENESS_THRESHOLD, _DURATION_LIMIT_S),
        upstream=_take_names(rest, names.RUN_UPSTREAM),
        infers_dependencies=take_bool(rest, names.RUN_INFERS_DEPENDENCIES) is not False,
        code=take_text(rest, names.CODE_SNAPSHOT),
        code_function=take_text(rest, names.CODE_FUNCTION_NAME),
        code_file=take_text(rest, names.CODE_FILE_PATH),
        code_line=take_count(rest, names.CODE_LINE_NUMBER, _LINE_LIMIT),
        git_hash=take_text(rest, names.VCS_REVISION),
        git_ref=take_text(rest, names.VCS_REF),
        git_repository=take_text(rest, names.VCS_REPOSITORY),
        git_tags=take_texts(rest, names.VCS_TAGS),
        git_dirty=take_bool(rest, names.VCS_DIRTY),
        rest=rest,
    )


# What most runs of a component say alike is read once.
_recall_facts = lru_cache(_REMEMBERED_FACTS)(_read_facts)


def _read_words(rest: Rest) -> Words | None:
    words = Words(
        owner=take_text(rest, names.COMPONENT_OWNER),
        description=take_text(rest, names.COMPONENT_DESCRIPTION),
        tags=_take_names(rest, names.COMPONENT_TAGS),
    )
    return None if words == Words(None, None, ()) else words


def _take_names(rest: Rest, key: str) -> tuple[str, ...]:
    """Take a set of names, in the order told."""
    said = (shorten(name, NAME_LIMIT_BYTES) for name in take_texts(rest, key) if name)
    return tuple(dict.fromkeys(said))


def _read_failure(span: Span, rest: Rest) -> tuple[str | None, str | None]:
    """Return the error's type and message: the span's own words, else the exception's."""
    error_type = take_text(rest, names.ERROR_TYPE)
    if not span.failed:
        return error_type, None
    raised: Rest = {}
    for event in span.events:
        if event.name == _EXCEPTION_EVENT:
            raised = dict(event.attributes)
    error_type = error_type or take_text(raised, "exception.type")
    words = (error_type, take_text(raised, "exception.message"))
    told = ": ".join(word for word in words if word)
    if _STACKTRACE in raised:
        rest.setdefault(_STACKTRACE, raised[_STACKTRACE])
    return error_type, span.status_message or told or None


def _read_tests(events: list[Event]) -> Iterator[TestResult]:
    for name, said in events:
        if name != names.TEST_EVENT:
            continue
        case, status = get_text(said, names.TEST_CASE), get_text(said, names.TEST_STATUS)
        phase = get_text(said, names.TEST_PHASE)
        if case and status in _TEST_STATUSES:
            yield TestResult(
                shorten(get_text(said, names.TEST_SUITE) or "", TEST_NAME_LIMIT_BYTES),
                shorten(case, TEST_NAME_LIMIT_BYTES),
                phase if phase in ("before", "after") else "after",
                status,
                get_text(said, names.TEST_MESSAGE),
                get_duration(said, names.TEST_DURATION, _DURATION_LIMIT_S),
            )
