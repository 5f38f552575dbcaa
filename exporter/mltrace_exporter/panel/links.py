"""Every address of the panel, built in one place: templates and routes use nothing else.

Names that users chose (outputs, components, tags) travel as query parameters, never in the path, so
that slashes, dots, spaces and any script survive browsers and proxies.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote_plus

RECENT = "/"
RUN = "/runs/{ref}"
NOTES = "/runs/{ref}/notes"
DATA = "/runs/{ref}/data"
ANY_RUN = "/run"
OUTPUT = "/output"
TRACE = "/trace"
IMPACT = "/impact"
COMPARE = "/compare"
REVIEW = "/review"
CHANGES = "/review/changes"
RESOLVE = "/resolve"
FLAGS = "/flags"
COMPONENTS = "/components"
COMPONENT = "/component"
TAG = "/tag"
TESTS = "/tests"
SEARCH = "/search"
STATUS = "/status"
HELP = "/help"
COMMAND = "/command"
COMPLETIONS = "/completions"
FLAG = "/flag"
FLAG_MANY = "/flag-many"
UNFLAG = "/unflag"
THEME = "/theme"
STATIC = "/static"


def to_recent(before: str | None = None, status: str | None = None) -> str:
    """Answer the address of the newest runs, of one status or all, or of those before a cursor."""
    return _with_query(RECENT, status=status, before=before)


def to_recent_of(status: str) -> str:
    """Answer the address of the newest runs of a status."""
    return to_recent(status=status)


def to_run(run_id: int) -> str:
    """Answer the address of one run."""
    return RUN.format(ref=run_id)


def to_notes(run_id: int) -> str:
    """Answer the address that takes notes about a run."""
    return NOTES.format(ref=run_id)


def to_data(
    run_id: int, direction: str, variable: str, start: int = 0, since: int | None = None
) -> str:
    """Answer the address of a variable's columns from the ``start``-th on.

    They stand beside those of the run ``since``; as a rule, of the runs before.
    """
    given = {"direction": direction, "variable": variable, "start": str(start) if start else None}
    before = None if since is None else str(since)
    return _with_query(DATA.format(ref=run_id), **given, since=before)


def to_output(name: str, **cursors: str | None) -> str:
    """Answer the address of a pointer: who wrote it, who read it."""
    return _with_query(OUTPUT, name=name, **cursors)


def to_trace(output: str) -> str:
    """Answer the address of the trace of an output."""
    return _with_query(TRACE, output=output)


def to_impact(output: str) -> str:
    """Answer the address of the impact of an output."""
    return _with_query(IMPACT, output=output)


def to_lineage(
    path: str,
    output: str | None = None,
    run: str | None = None,
    view: str | None = None,
    opened: Iterable[str] = (),
) -> str:
    """Answer the address of a trace or an impact, of an output or a run, as it is to be shown."""
    said = {"output": output, "run": run, "view": view}
    given = [(name, text) for name, text in said.items() if text is not None]
    return _join(path, [*given, *(("opened", name) for name in opened)])


def to_compare(one: int, other: int) -> str:
    """Answer the address of the comparison of two runs."""
    return _with_query(COMPARE, a=str(one), b=str(other))


def to_changes(one: int, other: int) -> str:
    """Answer the address of the few sentences about what differs between two runs."""
    return _with_query(CHANGES, a=str(one), b=str(other))


def to_review(sort: str | None = None, only: Iterable[int] = (), changed: int | None = None) -> str:
    """Answer the address of the review, in the order asked for, of all flags or of some.

    It leads to the run ``changed``, where that is given, and to what changed there.
    """
    given = [("sort", sort)] if sort else []
    given += [("only", str(flag_id)) for flag_id in sorted(only)]
    if changed is None:
        return _join(REVIEW, given)
    return f"{_join(REVIEW, [*given, ('changed', str(changed))])}#run-{changed}"


def to_flags(state: str | None = None, before: int | None = None, **wanted: str | None) -> str:
    """Answer the address of the flags in a state, of those wanted, or of those before one."""
    cursor = None if before is None else str(before)
    return _with_query(FLAGS, state=state, **wanted, before=cursor)


def to_component(
    name: str, before: str | None = None, limit: int | None = None, status: str | None = None
) -> str:
    """Answer the address of a component and its history."""
    shown = None if limit is None else str(limit)
    return _with_query(COMPONENT, name=name, status=status, limit=shown, before=before)


def to_components(after: str | None = None) -> str:
    """Answer the address of all components, or of those after one."""
    return _with_query(COMPONENTS, after=after)


def to_tests(after: str | None = None) -> str:
    """Answer the address of the tests of all components, or of those after one."""
    return _with_query(TESTS, after=after)


def to_tag(name: str, after: str | None = None) -> str:
    """Answer the address of a tag: its components, or those after one, and their newest runs."""
    return _with_query(TAG, name=name, after=after)


def to_search(text: str) -> str:
    """Answer the address of what was found for some words."""
    return _with_query(SEARCH, q=text)


def to_static(file_name: str) -> str:
    """Answer the address of a file that comes with the panel."""
    return f"{STATIC}/{file_name}"


def is_local(address: str) -> bool:
    """Say whether an address that came with a form leads to a page of this server.

    Browsers read a backslash as a slash, drop tabs and line ends, and take what follows any two
    slashes for a host. Source: https://url.spec.whatwg.org/#concept-basic-url-parser
    """
    return bool(re.match(r"/(?![/\\])", address)) and address.isprintable()


def _with_query(path: str, **parameters: str | None) -> str:
    return _join(path, [(name, text) for name, text in parameters.items() if text is not None])


def _join(path: str, given: list[tuple[str, str]]) -> str:
    # As `urlencode` does, which would quote our own names as well, some hundred times on a page.
    return (
        f"{path}?{'&'.join(f'{name}={quote_plus(text)}' for name, text in given)}"
        if given
        else path
    )
