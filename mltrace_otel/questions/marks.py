"""What people say about what was recorded: flags, notes, words about components, and an end to all.

Each may raise ServerUnreachable, ServerFailed or RequestRefused besides what it names.
"""

import getpass
from collections.abc import Callable, Sequence

from mltrace_otel.contract.api import (
    CleanRequest,
    Component,
    ComponentRequest,
    FlagRequest,
    Note,
    NoteRequest,
    Severity,
    TagRequest,
    UnflagRequest,
)
from mltrace_otel.errors import ServerFailed, ServerUnreachable
from mltrace_otel.notices import log
from mltrace_otel.questions.api_client import ApiClient, connect

_TELL_TIMEOUT_S = 5.0


def flag_output_id(
    output_id: str, reason: str | None = None, severity: Severity | str | None = None
) -> bool:
    """Flag an output that is wrong.

    Args:
        output_id: name of the output.
        reason: what is wrong with it.
        severity: ``low``, ``medium`` or ``high``.

    Returns:
        False if it was flagged already.

    Raises:
        NotFound: no recorded run wrote or read it.
    """
    grave = None if severity is None else Severity(severity)
    with connect() as api:
        change = api.flag_outputs(FlagRequest([output_id], reason, _get_user(), grave))
    return bool(change.changed)


def unflag_output_id(output_id: str, resolution: str | None = None) -> bool:
    """Resolve the flag of an output. It is kept as history.

    Args:
        output_id: name of the output.
        resolution: what was found or done.

    Returns:
        False if it was not flagged.

    Raises:
        NotFound: no recorded run wrote or read it.
    """
    request = UnflagRequest([output_id], resolution=resolution, by=_get_user())
    with connect() as api:
        return bool(api.resolve_flags(request).changed)


def unflag_all(resolution: str | None = None) -> int:
    """Resolve all flags and return how many there were. They are kept as history.

    Args:
        resolution: what was found or done.
    """
    request = UnflagRequest(all=True, resolution=resolution, by=_get_user())
    with connect() as api:
        return len(api.resolve_flags(request).changed)


def add_notes_to_component_run(component_run_id: int | str, notes: str) -> Note:
    """Write a note about a run, under the name of this program's user.

    The notes that are there are kept; the newest is the one that is shown first.

    Args:
        component_run_id: number of the run, or what its span id begins with.
        notes: what to say.

    Raises:
        NotFound: there is no such run.
    """
    with connect() as api:
        return api.write_note(str(component_run_id), NoteRequest(notes, _get_user()))


def create_component(
    name: str, description: str = "", owner: str = "", tags: str | Sequence[str] = ()
) -> Component | None:
    """Say something about a component, which need not have run yet.

    The newest words about a component win, whether they come so or with a run of a `Component`;
    tags are added to those that runs bring. If no server answers, a warning says so and the program
    goes on.

    Args:
        name: name of the component.
        description: what it does.
        owner: who answers for it.
        tags: words to find it by.

    Returns:
        The component as it is known now; None if no server answered.
    """
    tags = [tags] if isinstance(tags, str) else list(tags)
    request = ComponentRequest(owner or None, description or None, tags or None)
    return _tell(name, lambda api: api.describe_component(name, request))


def tag_component(component_name: str, tags: str | Sequence[str]) -> Component | None:
    """Give a component tags besides those it has.

    If no server answers, a warning says so and the program goes on.

    Args:
        component_name: name of the component.
        tags: words to find it by.

    Returns:
        The component as it is known now; None if no server answered.

    Raises:
        NotFound: there is no such component.
    """
    tags = [tags] if isinstance(tags, str) else list(tags)
    return _tell(component_name, lambda api: api.tag_component(TagRequest(component_name, tags)))


def clean_db(confirm: str = "") -> int:
    """Delete everything that was recorded and return how many runs there were.

    Args:
        confirm: ``"delete all data"``, to show that it is meant.

    Raises:
        RequestRefused: it was not confirmed, or the server was not started to allow it.
    """
    with connect() as api:
        return api.clean(CleanRequest(confirm)).run_count


def _get_user() -> str | None:
    """Return the name of the program's user; a container's may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _tell(name: str, say: Callable[[ApiClient], Component]) -> Component | None:
    """Tell the server something that a pipeline says, which must not fail for lack of a server."""
    try:
        with connect(_TELL_TIMEOUT_S) as api:
            return say(api)
    except (ServerUnreachable, ServerFailed) as error:
        log.warning("What was said about component %r is not recorded: %s", name, error)
        return None
