"""The other write: what people say about outputs."""

from collections.abc import Collection

import sqlalchemy as sa

from mltrace_exporter.errors import MalformedRequest, NotFound
from mltrace_exporter.store.flags import close_flags, open_flags, read_flags
from mltrace_exporter.store.pointers import find_unknown, hash_name
from mltrace_otel.contract.api import Flag, FlagChange, FlagRequest, UnflagRequest


def flag_outputs(connection: sa.Connection, request: FlagRequest) -> FlagChange:
    """Flag outputs; those that are flagged already keep their flag.

    Raises:
        NotFound: no run ever read or wrote one of the outputs; nothing is flagged.
    """
    _require_known(connection, request.outputs)
    ids = open_flags(
        connection,
        {hash_name(name) for name in request.outputs},
        by=request.by,
        reason=request.reason,
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


def _require_known(connection: sa.Connection, names: Collection[str]) -> None:
    unknown = find_unknown(connection, names)
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise NotFound(f"No recorded run read or wrote {unknown[0]!r}{more}; nothing was changed.")


def _tell_change(
    connection: sa.Connection, flag_ids: Collection[int], asked: Collection[str]
) -> FlagChange:
    changed = [Flag(**row._asdict()) for row in read_flags(connection, flag_ids)]
    names = {flag.output for flag in changed}
    return FlagChange(changed, [name for name in dict.fromkeys(asked) if name not in names])
