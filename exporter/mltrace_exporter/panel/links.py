"""Every address of the panel, built in one place: templates and routes use nothing else.

Names that users chose (outputs, components, tags) travel as query parameters, never in the path, so
that slashes, dots, spaces and any script survive browsers and proxies.
"""

import re
from urllib.parse import urlencode

RECENT = "/"
RUN = "/runs/{ref}"
TRACE = "/trace"
REVIEW = "/review"
COMPONENTS = "/components"
COMPONENT = "/component"
TAG = "/tag"
FLAG = "/flag"
UNFLAG = "/unflag"
STATIC = "/static"


def to_recent(before: str | None = None) -> str:
    """Answer the address of the newest runs, or of those before a cursor."""
    return _with_query(RECENT, before=before)


def to_run(run_id: int) -> str:
    """Answer the address of one run."""
    return RUN.format(ref=run_id)


def to_trace(output: str) -> str:
    """Answer the address of the trace of an output."""
    return _with_query(TRACE, output=output)


def to_review(sort: str | None = None) -> str:
    """Answer the address of the review, in the order asked for."""
    return _with_query(REVIEW, sort=sort)


def to_component(name: str, before: str | None = None) -> str:
    """Answer the address of a component and its history."""
    return _with_query(COMPONENT, name=name, before=before)


def to_tag(name: str) -> str:
    """Answer the address of a tag: its components and their newest runs."""
    return _with_query(TAG, name=name)


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
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
