"""The other write: what people say about outputs, runs and components."""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.errors import MalformedRequest, NotFound
from mltrace_exporter.store import components as stored
from mltrace_exporter.store.flags import close_flags, open_flags, read_flags, shape_flag
from mltrace_exporter.store.notes import add_note
from mltrace_exporter.store.pointers import find_unknown, hash_name
from mltrace_exporter.store.refs import resolve_run
from mltrace_exporter.store.upkeep.clean import delete_everything
from mltrace_otel.contract.api import (
    CLEAN_CONFIRMATION,
    Cleaned,
    CleanRequest,
    Component,
    ComponentRequest,
    FlagChange,
    FlagRequest,
    Note,
    NoteRequest,
    TagRequest,
    UnflagRequest,
)


def flag_outputs(connection: sa.Connection, request: FlagRequest) -> FlagChange:
    """Flag outputs; those that are flagged already keep their flag.

    Raises:
        NotFound: no run ever read or wrote one of the outputs; nothing is flagged.
    """
    _require_known(connection, request.outputs)
    ids = open_flags(
        connection,
        # So that the newest come by name; and everybody in one order, so that nobody deadlocks.
        [hash_name(name) for name in sorted(set(request.outputs), reverse=True)],
        by=request.by,
        reason=request.reason,
        severity=request.severity,
    )
    return _tell_change(connection, ids, request.outputs)


def resolve_flags(connection: sa.Connection, request: UnflagRequest) -> FlagChange:
    """Resolve the open flags of some outputs or of all; the flags are kept as history.

    Raises:
        NotFound: no run ever read or wrote one of the outputs; nothing is resolved.
        MalformedRequest: neither outputs nor ``all`` are given, or both.
    """
    if bool(request.outputs) == request.all:
        raise MalformedRequest("Name the outputs to unflag, or ask for all of them, not both.")
    _require_known(connection, request.outputs)
    ids = close_flags(
        connection,
        None if request.all else {hash_name(name) for name in request.outputs},
        by=request.by,
        resolution=request.resolution,
    )
    return _tell_change(connection, ids, request.outputs)


def write_note(connection: sa.Connection, ref: str, request: NoteRequest) -> Note:
    """Keep a note about a run, beside those that are there.

    Raises:
        NotFound: no run, or more than one, answers to ``ref``.
    """
    run_id = resolve_run(connection, ref)
    row = add_note(connection, run_id, text=request.text, author=request.author)
    return Note(**row._asdict())


def describe_component(
    connection: sa.Connection, name: str, request: ComponentRequest
) -> Component:
    """Let a person's words be the newest about a component, which need not have run yet."""
    stored.describe_component(
        connection, name, owner=request.owner, description=request.description
    )
    if request.tags is not None:
        stored.set_tags(connection, name, request.tags)
    return _read_component(connection, name)


def tag_component(connection: sa.Connection, request: TagRequest) -> Component:
    """Give a component tags besides those it has.

    Raises:
        NotFound: there is no such component.
    """
    if not stored.exists_component(connection, request.component):
        raise NotFound(f"There is no component {request.component!r}; nothing was tagged.")
    stored.add_tags(connection, request.component, request.tags)
    return _read_component(connection, request.component)


def clean(connection: sa.Connection, request: CleanRequest) -> Cleaned:
    """Delete everything that was recorded.

    Raises:
        MalformedRequest: it was not confirmed by the very words.
    """
    if request.confirm != CLEAN_CONFIRMATION:
        raise MalformedRequest(
            f"Nothing was deleted: confirm that everything may go with {CLEAN_CONFIRMATION!r}."
        )
    return Cleaned(delete_everything(connection))


def _read_component(connection: sa.Connection, name: str) -> Component:
    (row,) = stored.read_components(connection, name=name)
    return Component(**row._asdict())


def _require_known(connection: sa.Connection, names: Collection[str]) -> None:
    unknown = find_unknown(connection, names)
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise NotFound(f"No recorded run read or wrote {unknown[0]!r}{more}; nothing was changed.")


def _tell_change(
    connection: sa.Connection, flag_ids: Collection[int], asked: Collection[str]
) -> FlagChange:
    changed = [shape_flag(row) for row in read_flags(connection, flag_ids)]
    names = {flag.output for flag in changed}
    return FlagChange(changed, [name for name in dict.fromkeys(asked) if name not in names])
