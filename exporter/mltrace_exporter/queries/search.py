"""What holds these words?"""

import sqlalchemy as sa

from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.store.components import read_components
from mltrace_exporter.store.search import find_names, find_notes
from mltrace_otel.contract.api import Component, Note, SearchAnswer


def search(connection: sa.Connection, text: str, *, limit: int = 20) -> SearchAnswer:
    """Return components, names of inputs and outputs, and notes that hold what is searched.

    Args:
        connection: to the database.
        text: a word or several, or the beginning of a name.
        limit: how many of each kind, at most.

    Raises:
        MalformedRequest: nothing is searched.
    """
    text = text.strip()
    if not text:
        raise MalformedRequest("Say what to search for: a word, or the beginning of a name.")
    components = search_components(connection, text, limit=limit + 1)
    names = search_pointers(connection, text, limit=limit + 1)
    notes = find_notes(connection, text, limit + 1)
    return SearchAnswer(
        components=components[:limit],
        pointers=names[:limit],
        notes=[Note(**row._asdict()) for row in notes[:limit]],
        truncated=max(len(components), len(names), len(notes)) > limit,
    )


def search_components(connection: sa.Connection, text: str, *, limit: int) -> list[Component]:
    """Return components that hold all words in their name or description, at most ``limit``."""
    rows = read_components(connection, words=text, limit=limit)
    return [Component(**row._asdict()) for row in rows]


def search_pointers(connection: sa.Connection, text: str, *, limit: int) -> list[str]:
    """Return names of inputs and outputs that hold the text, at most ``limit``; see `search`."""
    return find_names(connection, text, limit)
